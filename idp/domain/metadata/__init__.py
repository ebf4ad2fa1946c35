"""What a client may say about itself, checked member by member (RFC 7591 section 2).

The same rules hold for registration over the network and for the operator's command line.
Members nobody knows are left out; members of another type, or that contradict each other,
are refused. A new member is a line in `members.py`, its shape in `shapes.py`, and what it
must fit together with in `agreement.py`.
"""

from collections.abc import Mapping
from typing import Any

from idp.domain.metadata import response_types
from idp.domain.metadata.agreement import agree
from idp.domain.metadata.members import ASSERTION_ALGS, CHECKS, WEB_URIS
from idp.domain.metadata.profiles import settled
from idp.domain.metadata.shapes import (
    LONGEST_NAME,
    InvalidMetadata,
    redirect_uri,
    request_uri,
    text,
    uris,
    web_uri,
)
from idp.policies import PolicySet

__all__ = ["ASSERTION_ALGS", "InvalidMetadata", "checked", "policies_of"]


def checked(given: Mapping[str, Any], *, loopback: bool, legacy: bool = False) -> dict[str, Any]:
    """The metadata as it will be kept, with defaults filled in; raises `InvalidMetadata`.

    `loopback` allows http://localhost where otherwise only https is, for development; `legacy`
    the response types that put an access token into an address.
    """
    kept: dict[str, Any] = {}
    for name, check in CHECKS.items():
        if given.get(name) is not None:
            kept[name] = check(name, given[name])
    kept |= _translations(given)
    for name in WEB_URIS:
        if given.get(name) is not None:
            kept[name] = web_uri(name, given[name], loopback=loopback)
    kept.setdefault("client_name", "")
    kept.setdefault("application_type", "web")
    kept.setdefault("token_endpoint_auth_method", "client_secret_basic")
    response_types.settle(kept, legacy=legacy)
    kept["redirect_uris"] = [
        redirect_uri(uri, kept["application_type"], loopback=loopback)
        for uri in uris("redirect_uris", given.get("redirect_uris", []))
    ]
    kept["post_logout_redirect_uris"] = [
        web_uri("post_logout_redirect_uris", uri, loopback=loopback)
        for uri in uris("post_logout_redirect_uris", given.get("post_logout_redirect_uris", []))
    ]
    if given.get("request_uris") is not None:
        kept["request_uris"] = [
            request_uri(uri, loopback=loopback)
            for uri in uris("request_uris", given["request_uris"])
        ]
    kept = settled(kept)
    agree(kept)
    return kept


def policies_of(details: Mapping[str, Any]) -> tuple[str, ...]:
    """The policies a client asks for itself: they only ever make its tokens stricter than an
    API wants them. Raises `InvalidMetadata` when they do not fit together.
    """
    names = details.get("policies", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidMetadata("policies is not a list of names")
    try:
        return PolicySet.for_client(names).names
    except ValueError as error:
        raise InvalidMetadata(str(error)) from None


def _translations(given: Mapping[str, Any]) -> dict[str, str]:
    """`client_name#de` and its kind (RFC 7591 section 2.2)."""
    human = ("client_name#",)
    return {
        name: text("client_name", value)
        for name, value in given.items()
        if name.startswith(human) and len(name) <= LONGEST_NAME
    }
