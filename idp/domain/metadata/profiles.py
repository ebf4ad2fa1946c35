"""Profiles: one word an operator says of a client, and all that follows from it.

`fapi2` is the FAPI 2.0 Security Profile; `fapi2_message_signing` adds signed requests and
signed answers. What a client leaves open is filled in; what contradicts the profile is refused
with a sentence, so that a client that has the word has the whole profile.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from idp.domain.metadata.shapes import InvalidMetadata

FAPI2 = "fapi2"
MESSAGE_SIGNING = "fapi2_message_signing"
PROFILES = (FAPI2, MESSAGE_SIGNING)

FAPI_ALGS = ("PS256", "ES256", "EdDSA", "Ed25519")
FAPI_METHODS = ("private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth")
CONSTRAINTS = ("dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens")
SIGNED_WITH = "ES256"
FORBIDDEN_POLICIES = frozenset({"rotation"})

Kept = Mapping[str, Any]


def settled(kept: Kept) -> dict[str, Any]:
    """The metadata with everything its profile implies; raises `InvalidMetadata`."""
    profile = kept.get("profile")
    if profile is None:
        return dict(kept)
    implied: dict[str, Any] = {
        "require_pushed_authorization_requests": True,
        "id_token_signed_response_alg": SIGNED_WITH,
    }
    if not any(kept.get(member) for member in CONSTRAINTS):
        implied["dpop_bound_access_tokens"] = True
    if profile == MESSAGE_SIGNING:
        implied |= {
            "require_signed_request_object": True,
            "authorization_signed_response_alg": SIGNED_WITH,
        }
    return implied | dict(kept)


def agree(kept: Kept) -> None:
    """Nothing a client says may take away what its profile promises."""
    profile = kept.get("profile")
    if profile is None:
        return
    for kind, broken, sentence in _PROMISES:
        if kind in PROFILES[: PROFILES.index(profile) + 1] and broken(kept):
            raise InvalidMetadata(f"{profile}: {sentence}")


def algorithms(profile: str | None, offered: Iterable[str]) -> tuple[str, ...]:
    """Those a client may sign with, of those that are understood where it signs."""
    return tuple(alg for alg in offered if profile is None or alg in FAPI_ALGS)


def fitting(profile: str | None, policies: tuple[str, ...]) -> tuple[str, ...]:
    """The policies, without those that a profile rules out where nobody has named them."""
    if profile is None:
        return policies
    return tuple(name for name in policies if name not in FORBIDDEN_POLICIES)


def judge_policies(profile: str | None, policies: Iterable[str]) -> None:
    """Raises `InvalidMetadata` for a policy that a client's profile rules out."""
    if profile is not None and FORBIDDEN_POLICIES & set(policies):
        raise InvalidMetadata(f"{profile}: refresh tokens work on; leave out the policy rotation")


def _weak(kept: Kept) -> bool:
    """Whether anything is signed with an algorithm that FAPI 2.0 section 5.4 does not have."""
    named = {value for member, value in kept.items() if member.endswith(_SIGNING)}
    return not named <= set(FAPI_ALGS)


_SIGNING = ("_signing_alg", "_signed_response_alg")
_PROMISES: tuple[tuple[str, Callable[[Kept], bool], str], ...] = (
    (
        FAPI2,
        lambda kept: kept["token_endpoint_auth_method"] not in FAPI_METHODS,
        "the client authenticates with private_key_jwt or mutual TLS",
    ),
    (
        FAPI2,
        lambda kept: not set(kept["response_types"]) <= {"code"},
        "the only response_type is code",
    ),
    (
        FAPI2,
        lambda kept: kept["require_pushed_authorization_requests"] is not True,
        "the client pushes its requests; leave require_pushed_authorization_requests true",
    ),
    (
        FAPI2,
        lambda kept: not any(kept.get(member) for member in CONSTRAINTS),
        f"tokens are bound to a key; leave {' or '.join(CONSTRAINTS)} true",
    ),
    (
        FAPI2,
        lambda kept: kept.get("assertion_audience") == "token_endpoint",
        "client assertions are for the issuer alone; leave assertion_audience out",
    ),
    (FAPI2, _weak, f"signatures are made with {', '.join(FAPI_ALGS)} only"),
    (
        MESSAGE_SIGNING,
        lambda kept: kept["require_signed_request_object"] is not True,
        "the client signs its requests; leave require_signed_request_object true",
    ),
)
