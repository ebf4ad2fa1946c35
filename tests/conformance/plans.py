"""The OpenID Connect plans: their modules and the variants they are run in (conformance A.1)."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Variant:
    """One column of a plan: how the suite has been set up."""

    response_type: str = "code"
    response_mode: str = "default"
    client_auth: str = "client_secret_basic"
    registration: str = "dynamic"
    sender_constrain: str = ""
    more: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [self.response_type.replace(" ", "+"), self.client_auth, self.registration]
        if self.response_mode != "default":
            parts.insert(1, self.response_mode)
        return "-".join([*parts, *filter(None, [self.sender_constrain]), *self.more])


@dataclass(frozen=True, slots=True)
class Plan:
    """A test plan of the suite: without variants it is listed, and not run yet."""

    title: str
    modules: tuple[str, ...]
    variants: tuple[Variant, ...] = ()

    def runs(self, module: str) -> tuple[Variant, ...]:
        """The variants in which the plan has a module."""
        if module not in self.modules:
            return ()
        return tuple(variant for variant in self.variants if module not in variant.without)


def named(prefix: str, names: str) -> tuple[str, ...]:
    """The modules of a plan, in the plan's own order."""
    return tuple(prefix + name for name in names.split())


UNSIGNED = """
request-uri-unsigned-supported-correctly-or-rejected-as-unsupported
unsigned-request-object-supported-correctly-or-rejected-as-unsupported
"""
BASIC = named(
    "oidcc-",
    f"""
    server response-type-missing idtoken-signature idtoken-unsigned userinfo-get
    userinfo-post-header userinfo-post-body ensure-request-without-nonce-succeeds-for-code-flow
    scope-profile scope-email scope-address scope-phone scope-all alternate-happy-flow
    display-page display-popup prompt-login prompt-none-not-logged-in prompt-none-logged-in
    max-age-1 max-age-10000 ensure-request-with-unknown-parameter-succeeds id-token-hint
    login-hint ui-locales claims-locales ensure-request-with-acr-values-succeeds codereuse
    codereuse-30seconds ensure-registered-redirect-uri ensure-post-request-succeeds
    server-client-secret-post {UNSIGNED} claims-essential ensure-request-object-with-redirect-uri
    refresh-token ensure-request-with-valid-pkce-succeeds
    """,
)
USERINFO = named("oidcc-", "userinfo-get userinfo-post-header userinfo-post-body")
NONCE_FAILS = named("oidcc-", "ensure-request-without-nonce-fails")
NONCE_SUCCEEDS = named("oidcc-", "ensure-request-without-nonce-succeeds-for-code-flow")
NOT_IMPLICIT = (
    *NONCE_SUCCEEDS,
    *named(
        "oidcc-",
        """
        idtoken-unsigned codereuse codereuse-30seconds ensure-post-request-succeeds
        server-client-secret-post refresh-token ensure-request-with-valid-pkce-succeeds
        """,
    ),
)
NOT_HYBRID = named("oidcc-", "idtoken-unsigned ensure-post-request-succeeds")
ONLY_FIRST = named(
    "oidcc-",
    "response-type-missing alternate-happy-flow ensure-request-with-valid-pkce-succeeds",
)
IMPLICIT = tuple(m for m in BASIC if m not in NOT_IMPLICIT) + NONCE_FAILS
HYBRID = tuple(m for m in BASIC if m not in NOT_HYBRID) + NONCE_FAILS
DYNAMIC = named(
    "oidcc-",
    """
    idtoken-rs256 idtoken-unsigned userinfo-rs256 ensure-redirect-uri-in-authorization-request
    redirect-uri-query-OK redirect-uri-query-mismatch redirect-uri-query-added
    redirect-uri-regfrag discovery-endpoint-verification server registration-logo-uri
    registration-policy-uri registration-tos-uri registration-jwks-uri registration-sector-uri
    registration-sector-bad server-rotate-keys refresh-token-rp-key-rotation
    request-uri-unsigned request-uri-signed-rs256 ensure-request-object-with-redirect-uri
    refresh-token ensure-client-assertion-with-iss-aud-succeeds
    """,
)
RP_LOGOUT = (
    "oidcc-rp-initiated-logout-discovery-endpoint-verification",
    "oidcc-rp-initiated-logout",
    *named(
        "oidcc-rp-initiated-logout-",
        """
        bad-post-logout-redirect-uri modified-id-token-hint no-id-token-hint no-params
        no-post-logout-redirect-uri no-state only-state
        query-added-to-post-logout-redirect-uri bad-id-token-hint
        """,
    ),
)

DYNAMIC_CLIENT = Variant()
STATIC_CLIENT = Variant(registration="static")
BASIC_RUNS = (DYNAMIC_CLIENT, STATIC_CLIENT)
IMPLICIT_RUNS = (
    Variant("id_token", without=(*USERINFO, "oidcc-response-type-missing")),
    Variant("id_token token"),
    Variant(
        "id_token",
        without=(*USERINFO, "oidcc-response-type-missing"),
        registration="static",
    ),
    Variant("id_token token", registration="static"),
)
HYBRID_RUNS = (
    Variant("code id_token", without=NONCE_SUCCEEDS),
    Variant("code token", without=(*NONCE_FAILS, *ONLY_FIRST)),
    Variant("code id_token token", without=(*NONCE_SUCCEEDS, *ONLY_FIRST)),
    Variant("code id_token", registration="static", without=NONCE_SUCCEEDS),
)
DYNAMIC_RUNS = (
    Variant(client_auth="private_key_jwt"),
    Variant("code id_token", client_auth="private_key_jwt"),
    Variant("code id_token token", client_auth="private_key_jwt"),
)


def posted(variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
    """The same with response_mode=form_post."""
    return tuple(replace(variant, response_mode="form_post") for variant in variants)


def certification(name: str) -> str:
    return f"oidcc-{name}-certification-test-plan"


OPENID = {
    "basic": Plan(certification("basic"), BASIC, BASIC_RUNS),
    "implicit": Plan(certification("implicit"), IMPLICIT, IMPLICIT_RUNS),
    "hybrid": Plan(certification("hybrid"), HYBRID, HYBRID_RUNS),
    "formpost-basic": Plan(certification("formpost-basic"), BASIC, posted(BASIC_RUNS)),
    "formpost-implicit": Plan(certification("formpost-implicit"), IMPLICIT, posted(IMPLICIT_RUNS)),
    "formpost-hybrid": Plan(certification("formpost-hybrid"), HYBRID, posted(HYBRID_RUNS)),
    "config": Plan(
        certification("config"),
        named("oidcc-", "discovery-endpoint-verification"),
        (STATIC_CLIENT,),
    ),
    "dynamic": Plan(certification("dynamic"), DYNAMIC, DYNAMIC_RUNS),
    "3rdparty-init-login": Plan(
        certification("3rdparty-init-login"),
        named("oidcc-", "3rd_party-init-login 3rd_party-init-login-nohttps"),
        (DYNAMIC_CLIENT,),
    ),
    "rp-initiated-logout": Plan(
        certification("rp-initiated-logout"),
        RP_LOGOUT,
        (DYNAMIC_CLIENT, STATIC_CLIENT),
    ),
    "backchannel-logout": Plan(
        certification("backchannel-rp-initiated-logout"),
        named(
            "oidcc-backchannel-",
            "logout-discovery-endpoint-verification rp-initiated-logout",
        ),
        (DYNAMIC_CLIENT,),
    ),
    "frontchannel-logout": Plan(
        certification("frontchannel-rp-initiated-logout"),
        named(
            "oidcc-frontchannel-",
            "logout-discovery-endpoint-verification rp-initiated-logout",
        ),
        (DYNAMIC_CLIENT,),
    ),
    "session-management": Plan(
        certification("session-management"),
        named(
            "oidcc-session-management-",
            "discovery-endpoint-verification rp-initiated-logout",
        ),
        (DYNAMIC_CLIENT,),
    ),
}
