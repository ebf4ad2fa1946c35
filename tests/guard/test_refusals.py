"""What a guard refuses, and in which words it says so."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.crypto import jose
from idp.guard import Guard, ProtectedResource, Refused
from tests.support.issuer import API, SCOPE, URL, Issuer, Time, call, refusal
from tests.support.spec import spec

BEARER = f'Bearer realm="{API}"'


def judged(guard: Guard, *authorization: str, url: str = "/v1/notes") -> Refused | None:
    try:
        guard.check(authorization, [SCOPE], method="GET", url=url)
    except Refused as refused:
        return refused
    return None


@spec("RFC 6750 section 3.1", "RSG-02")
def test_who_brings_no_token_is_told_the_scheme_and_nothing_else(guard: Guard) -> None:
    for said in ([], ["Basic YTpi"], ["Bearer"], ["Bearer  "], [""]):
        refused = judged(guard, *said)

        assert refused is not None
        assert (refused.status, refused.body, refused.challenge) == (401, {}, BEARER)
        assert ("Cache-Control", "no-store") in refused.headers


@spec("RFC 6750 section 2", "RSG-01")
def test_one_way_to_send_a_token_and_only_one(issuer: Issuer, guard: Guard) -> None:
    token = issuer.token()

    twice = judged(guard, f"Bearer {token}", f"Bearer {token}")
    in_the_address = judged(guard, url=f"/v1/notes?access_token={token}")
    both = judged(guard, f"Bearer {token}", url=f"/v1/notes?a=1&access_token={token}")

    for refused in (twice, in_the_address, both):
        assert refused is not None
        assert (refused.status, refused.error) == (400, "invalid_request")


@spec("RFC 6750 section 3", "RSG-02")
def test_a_token_without_the_scope_is_told_which_it_needs(issuer: Issuer, guard: Guard) -> None:
    refused = refusal(guard, issuer.token(), ("notes:read", "notes:write"))

    assert refused.status == 403
    assert refused.challenge == (
        f'{BEARER}, error="insufficient_scope", scope="notes:read notes:write"'
    )


@spec("RFC 9470 section 3", "STP-01", "RSG-02")
def test_a_sign_in_that_is_too_weak_or_too_old_is_told_what_is_needed(
    issuer: Issuer, guard: Guard
) -> None:
    token = issuer.token(acr="pwd", auth_time=int(issuer.time.now.timestamp()) - 100)

    weak = refusal(guard, token, acr_values=["phr", "phrh"])
    old = refusal(guard, token, max_age=99)

    assert (weak.status, weak.error) == (401, "insufficient_user_authentication")
    assert weak.challenge is not None
    assert 'acr_values="phr phrh"' in weak.challenge
    assert old.challenge is not None
    assert 'max_age="99"' in old.challenge
    assert call(guard, token, acr_values=["phr", "pwd"], max_age=100).sub == "ann"


@spec("RFC 9470 section 6.1")
@pytest.mark.parametrize("auth_time", [None, "100", True])
def test_a_token_that_does_not_say_when_the_person_signed_in_is_too_old(
    issuer: Issuer, guard: Guard, auth_time: object
) -> None:
    refused = refusal(guard, issuer.token(auth_time=auth_time), max_age=10_000)

    assert refused.error == "insufficient_user_authentication"


@spec("RFC 9728 section 5.1")
def test_a_challenge_says_where_the_metadata_of_the_api_are(issuer: Issuer) -> None:
    guard = issuer.guard(metadata=ProtectedResource(name="Notes"))

    refused = judged(guard)
    guard.close()

    where = "https://api.test/.well-known/oauth-protected-resource/v1"
    assert refused is not None
    assert refused.challenge is not None
    assert refused.challenge.endswith(f', resource_metadata="{where}"')


@spec("RFC 9068 section 4", "RSG-03", "RSG-05", "RSG-06")
@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.test"},
        {"iss": URL + "/"},
        {"aud": "https://other.test"},
        {"aud": API + "/"},
        {"aud": []},
        {"aud": {API: True}},
        {"aud": ["https://other.test"]},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": 2**52},
        {"exp": -5},
        {"exp": 0},
        {"exp": [9999999999]},
        {"iat": None},
        {"iat": "now"},
        {"iat": 9_999_999_999},
        {"nbf": 9_999_999_999},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"client_id": None},
        {"jti": None},
        {"jti": ["j"]},
        {"sid": 5},
        {"gen": "3"},
        {"gen": True},
        {"scope": ["notes:read"]},
        {"policies": "sso"},
        {"policies": [1]},
        {"cnf": "jkt"},
        {"cnf": {"x5t#S256": "a"}},
        {"cnf": {"jkt": "a", "x5t#S256": "b"}},
    ],
)
def test_a_token_that_says_something_strange_is_refused(
    issuer: Issuer, guard: Guard, claims: dict[str, object]
) -> None:
    refused = refusal(guard, issuer.token(**claims))

    assert (refused.status, refused.error) == (401, "invalid_token")


@spec("RFC 9068 section 4", "RSG-03")
def test_the_kind_may_be_spelled_out_and_the_audience_may_be_one_of_several(
    issuer: Issuer, guard: Guard
) -> None:
    token = issuer.token(typ="application/at+jwt", aud=["https://other.test", API])

    assert call(guard, token).scopes == {SCOPE}


@spec("RSG-04", "V9.2.2", "RFC 8725 section 3.11")
@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "dpop+jwt", "token-introspection+jwt", ""])
def test_a_token_of_another_kind_is_refused(issuer: Issuer, guard: Guard, typ: str) -> None:
    assert refusal(guard, issuer.token(typ=typ)).error == "invalid_token"


@spec("JOS-01", "RSG-03")
def test_a_signature_by_a_key_of_anybody_else_is_refused(issuer: Issuer, guard: Guard) -> None:
    stranger = jose.Signer("k1", "ES256", jose.generate("ES256"))
    header, body, _ = issuer.token().split(".")

    assert refusal(guard, issuer.token(signer=stranger)).error == "invalid_token"
    assert refusal(guard, f"{header}.{body}.").error == "invalid_token"
    assert refusal(guard, f"eyJhbGciOiJub25lIn0.{body}.").error == "invalid_token"


@spec("RSG-13", "JOS-10")
def test_a_token_that_is_too_long_is_refused_before_it_is_read(
    issuer: Issuer, guard: Guard
) -> None:
    asked = dict(issuer.asked)

    assert refusal(guard, "x" * (16 * 1024 + 1)).error == "invalid_token"
    assert refusal(guard, issuer.token(padding="x" * 16_384)).error == "invalid_token"
    assert {k: v for k, v in issuer.asked.items() if k != "/feed"} == {
        k: v for k, v in asked.items() if k != "/feed"
    }


@spec("RSG-12", "RFC 7519 section 4.1.4")
def test_a_token_that_was_good_a_moment_ago_is_refused_when_it_has_run_out(
    issuer: Issuer, guard: Guard
) -> None:
    token = issuer.token()
    call(guard, token)

    issuer.time.pass_by(299)
    call(guard, token)
    issuer.time.pass_by(1)

    assert refusal(guard, token).error == "invalid_token"


class TestAnyHeader:
    """Whatever is sent, the answer is a refusal in well-formed words that repeat none of it."""

    issuer = Issuer(Time())
    guard = issuer.guard()

    @spec("RSG-02", "RSG-14", "EDG-01")
    @given(st.lists(st.text(max_size=60) | st.sampled_from(["Bearer x.y.z", "DPoP a"]), max_size=3))
    def test_it_is_refused_in_words_that_can_be_read(self, values: list[str]) -> None:
        refused = judged(self.guard, *values)

        assert refused is not None
        assert refused.status in (400, 401)
        assert re.fullmatch(
            r'(Bearer|DPoP) \w+="[^"\\]*"(, \w+="[^"\\]*")*', refused.challenge or ""
        )

    @spec("RSG-02")
    @given(st.text(alphabet=st.characters(codec="latin-1"), min_size=8, max_size=40))
    def test_no_word_of_a_token_comes_back(self, token: str) -> None:
        refused = judged(self.guard, f"Bearer {token}zzzz")

        assert refused is not None
        assert "zzzz" not in str(refused.headers) + str(refused.body) + str(refused)
