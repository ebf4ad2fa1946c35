"""The plans of FAPI 2.0 and FAPI-CIBA (conformance A.2, A.3).

A module of one variant only is followed by its mark: [D] DPoP, [O] OpenID Connect, [K]
private_key_jwt, [M] mutual TLS, [S] signed requests, [P] ping.
"""

import re

from tests.conformance.plans import Plan, Variant

SECURITY_WORDS = """
discovery-end-point-verification happy-flow user-rejects-authentication
ensure-request-object-with-multiple-aud-succeeds[S]
ensure-authorization-request-without-state-success
ensure-authorization-request-without-nonce-success[O]
ensure-authorization-request-with-64-char-nonce-success[O] ensure-other-scope-order-succeeds[O]
test-claims-parameter-identity-claims[O] access-token-type-header-case-sensitivity
ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted[S] check-dpop-proof-nbf-exp[D]
ensure-dpopproof-with-iat-10seconds-before-succeeds[D]
ensure-dpopproof-with-iat-10seconds-after-succeeds[D] ensure-mismatched-dpop-jkt-fails[D]
ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt[D]
ensure-token-endpoint-fails-with-mismatched-dpop-jkt[D]
ensure-dpopproof-at-par-endpoint-binding-success[D] ensure-dpop-auth-code-binding-success[D]
ensure-different-nonce-inside-and-outside-request-object[O]
ensure-different-state-inside-and-outside-request-object
ensure-authorization-request-with-long-nonce[O] ensure-authorization-request-with-long-state
ensure-request-object-without-exp-fails[S] ensure-request-object-without-nbf-fails[S]
state-only-outside-request-object-not-used ensure-request-object-without-redirect-uri-fails
ensure-expired-request-object-fails[S] ensure-request-object-with-bad-aud-fails[S]
ensure-request-object-with-exp-over-60-fails[S] ensure-request-object-with-nbf-over-60-fails[S]
ensure-signed-request-object-with-RS256-fails[S]
ensure-request-object-signature-algorithm-is-not-none[S]
ensure-request-object-with-invalid-signature-fails[S]
ensure-matching-key-in-authorization-request[S] ensure-unsigned-request-at-par-endpoint-fails[S]
plain-fapi-tolerate-unregistered-redirect-uri
ensure-unsigned-authorization-request-without-using-par-fails
ensure-redirect-uri-in-authorization-request ensure-response-type-code-idtoken-fails
ensure-response-type-token-fails ensure-client-id-in-token-endpoint ensure-holder-of-key-required
ensure-authorization-code-is-bound-to-client attempt-reuse-authorization-code-after-one-second
ensure-token-endpoint-fails-with-expired-auth-code
ensure-signed-client-assertion-with-RS256-fails[K] ensure-client-assertion-in-token-endpoint[K]
ensure-client-assertion-with-exp-is-5-minutes-in-past-fails[K]
ensure-client-assertion-with-wrong-aud-fails[K] ensure-client-assertion-with-no-sub-fails[K]
dpop-negative-tests[D] refresh-token par-ensure-reused-request-uri-prior-to-auth-completion-succeeds
par-attempt-reuse-request_uri par-attempt-to-use-expired-request_uri
par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted[K]
par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails[K]
par-attempt-to-use-request_uri-for-different-client
par-authorization-request-containing-request_uri-form-param par-attempt-invalid-http-method
par-ensure-pkce-required ensure-pkce-code-verifier-required incorrect-pkce-code-verifier-rejected
par-plain-pkce-rejected par-authorization-request-containing-request_uri[S]
par-without-duplicate-parameters par-test-array-as-audience-fails[K]
par-test-par-endpoint-url-as-audience-fails[K] par-test-token-endpoint-url-as-audience-fails[K]
"""
CLIENT_CREDENTIALS_WORDS = """
discovery-end-point-verification happy-flow access-token-type-header-case-sensitivity
check-dpop-proof-nbf-exp[D] ensure-dpopproof-with-iat-10seconds-before-succeeds[D]
ensure-dpopproof-with-iat-10seconds-after-succeeds[D] ensure-client-id-in-token-endpoint
ensure-holder-of-key-required ensure-signed-client-assertion-with-RS256-fails[K]
ensure-client-assertion-in-token-endpoint[K]
ensure-client-assertion-with-exp-is-5-minutes-in-past-fails[K]
ensure-client-assertion-with-wrong-aud-fails[K] ensure-client-assertion-with-no-sub-fails[K]
dpop-negative-tests[D]
"""
CIBA_WORDS = """
-discovery-end-point-verification -user-rejects-authentication -multiple-call-to-token-endpoint
-auth-req-id-expired -ensure-authorization-request-with-binding-message-succeeds
-ensure-other-scope-order-succeeds -ensure-requested-expiry-as-string-succeeds
-ensure-authorization-request-with-potentially-bad-binding-message
-ensure-request-object-missing-aud-fails -ensure-request-object-bad-aud-fails
-ensure-request-object-missing-iss-fails -ensure-request-object-bad-iss-fails
-ensure-request-object-missing-exp-fails -ensure-request-object-expired-exp-fails
-ensure-request-object-exp-is-70-minutes-in-future-fails
-ensure-request-object-missing-iat-fails -ensure-request-object-missing-nbf-fails
-ensure-request-object-nbf-is-10-minutes-in-future-fails
-ensure-request-object-nbf-is-70-minutes-in-past-fails -ensure-request-object-missing-jti-fails
-ensure-request-object-signature-algorithm-is-none-fails
-ensure-request-object-signature-algorithm-is-bad-fails
-ensure-request-object-signature-algorithm-is-RS256-fails
-ensure-request-object-signed-by-other-client-fails
-ensure-authorization-request-with-multiple-hints-fails
-ensure-wrong-auth-req-id-in-token-endpoint-request
-ensure-different-client-id-and-issuer-in-backchannel-authorization-request[M]
-ensure-wrong-client-id-in-token-endpoint-request[M]
-ensure-wrong-client-id-in-backchannel-authorization-request[M]
-ensure-without-client-assertion-in-token-endpoint-request[K]
-ensure-without-client-assertion-in-backchannel-authorization-request[K]
-ensure-client-assertion-signature-algorithm-in-backchannel-authorization-request-is-RS256-fails[K]
-ensure-client-assertion-signature-algorithm-in-token-endpoint-request-is-RS256-fails[K]
-ensure-client-assertion-with-iss-aud-to-token-endpoint-succeeds[K]
-ping-backchannel-notification-endpoint-response-has-body[P]
-ping-backchannel-notification-endpoint-response-401[P]
-ping-backchannel-notification-endpoint-response-403[P]
-ping-with-mtls-ciba-notification-endpoint-response-401-and-require-server-does-not-retry[P]
-ping-backchannel-notification-endpoint-return-redirect-request[P]
-ensure-unsigned-backchannel-authorization-request-fails -refresh-token
-ensure-mtls-holder-of-key-required
"""
MARKED = re.compile(r"\[(\w)\]$")


def modules(prefix: str, words: str, *, leave_out: str = "") -> tuple[str, ...]:
    """The names, without those that carry one of the given marks."""
    found = [(MARKED.sub("", word), MARKED.search(word)) for word in words.split()]
    return tuple(prefix + n for n, mark in found if not (mark and mark.group(1) in leave_out))


def only(prefix: str, words: str, marks: str) -> tuple[str, ...]:
    """The names that carry one of the given marks: what a variant goes without."""
    every = modules(prefix, words)
    return tuple(m for m in every if m not in modules(prefix, words, leave_out=marks))


SECURITY = "fapi2-security-profile-final-"
CIBA = "fapi-ciba-id1"


def run(auth: str, constraint: str, *more: str) -> Variant:
    """A variant of the FAPI 2.0 plans, and the modules it goes without."""
    marks = (
        "S" * ("signed" not in more)
        + "D" * (constraint != "dpop")
        + "K" * (auth != "private_key_jwt")
    )
    marks += "O" * ("plain_oauth" in more)
    return Variant(
        client_auth=auth,
        registration="static",
        sender_constrain=constraint,
        more=more,
        without=only(SECURITY, SECURITY_WORDS, marks),
    )


SECURITY_RUNS: tuple[Variant, ...] = (
    run("private_key_jwt", "dpop"),
    run("mtls", "mtls"),
    run("private_key_jwt", "mtls"),
    run("mtls", "dpop"),
    *(run(a, c, "plain_oauth") for a in ("private_key_jwt", "mtls") for c in ("dpop", "mtls")),
    run("private_key_jwt", "dpop", "rar"),
    run("mtls", "mtls", "plain_oauth", "rar"),
)
MESSAGE_RUNS: tuple[Variant, ...] = (
    run("private_key_jwt", "dpop", "signed", "jarm"),
    run("private_key_jwt", "dpop", "signed"),
    run("mtls", "mtls", "signed", "jarm"),
    run("mtls", "mtls", "signed"),
)
MACHINE_RUNS: tuple[Variant, ...] = (
    run("private_key_jwt", "dpop", "client_credentials"),
    run("mtls", "mtls", "client_credentials"),
    run("private_key_jwt", "mtls", "client_credentials"),
    run("mtls", "dpop", "client_credentials"),
)
BY_KEY, BY_CERTIFICATE = "private_key_jwt", "self_signed_tls_client_auth"
POLLING = only(CIBA, CIBA_WORDS, "P")
CIBA_RUNS = tuple(
    Variant(
        client_auth=auth,
        registration=registration,
        more=(mode,),
        without=only(CIBA, CIBA_WORDS, "M" if auth == BY_KEY else "K")
        + (POLLING if mode == "poll" else ()),
    )
    for registration in ("dynamic", "static")
    for auth in (BY_KEY, BY_CERTIFICATE)
    for mode in ("poll", "ping")
)

FAPI = {
    "fapi2-security": Plan(
        "fapi2-security-profile-final-test-plan",
        modules(SECURITY, SECURITY_WORDS, leave_out="S"),
        SECURITY_RUNS,
    ),
    "fapi2-message-signing": Plan(
        "fapi2-message-signing-final-test-plan", modules(SECURITY, SECURITY_WORDS), MESSAGE_RUNS
    ),
    "fapi2-client-credentials": Plan(
        "fapi2-security-profile-final-test-plan, fapi_client_credentials_grant",
        modules(SECURITY, CLIENT_CREDENTIALS_WORDS),
        MACHINE_RUNS,
    ),
    "fapi-ciba": Plan("fapi-ciba-id1-test-plan", (CIBA, *modules(CIBA, CIBA_WORDS)), CIBA_RUNS),
}
