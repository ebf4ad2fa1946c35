"""Authorization details (RFC 9396): read as they are asked for, narrowed, and put into tokens
for the APIs they belong to.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from idp.crypto.compact import Unverifiable, json_value
from idp.domain import Provider
from idp.domain.authorization_details import Unfit
from idp.domain.clients import ClientView
from idp.protocol.claims import Aimed
from idp.protocol.errors import InvalidAuthorizationDetails
from idp.protocol.messages import OAuthRequest

Details = tuple[dict[str, Any], ...]

LONGEST = 16 * 1024
DEEPEST = 8
MOST = 20


def read(text: str, client: ClientView, op: Provider) -> Details:
    """What is asked for: objects of types that are known, and that this client may use, each as
    its type describes it (sections 2 and 5).
    """
    asked = _parsed(text)
    types, allowed = op.resources.detail_types(), _types_of(client)
    for detail in asked:
        kind = types.get(str(detail.get("type")))
        if kind is None:
            raise InvalidAuthorizationDetails("a type of authorization details is not known")
        if allowed is not None and kind.name not in allowed:
            raise InvalidAuthorizationDetails("a type is not one this client may use")
        try:
            kind.check(detail)
        except Unfit as why:
            raise InvalidAuthorizationDetails(str(why)) from None
    return asked


def apis_of(details: Iterable[dict[str, Any]], op: Provider) -> tuple[str, ...]:
    """The APIs that these details are for."""
    types = op.resources.detail_types()
    return tuple(dict.fromkeys(types[detail["type"]].api for detail in details))


def carrying(
    aimed: Aimed,
    granted: Iterable[dict[str, Any]] | None,
    request: OAuthRequest,
    client: ClientView,
    op: Provider,
) -> Aimed:
    """The token with those of the granted details that its APIs understand (section 9.1). The
    request may name some of them, and never another (section 6).
    """
    held = tuple(granted or ())
    text = request.parameters.get("authorization_details")
    if text is not None:
        wanted = _parsed(text)
        if any(detail not in held for detail in wanted):
            raise InvalidAuthorizationDetails("these authorization details were not granted")
        held = wanted
    return fitting(aimed, held, client, op)


def fitting(aimed: Aimed, held: Details, client: ClientView, op: Provider) -> Aimed:
    """The token with those of the details that are for one of its APIs, and still of a type."""
    if not held:
        return aimed
    types, allowed = op.resources.detail_types(), _types_of(client)
    here = {
        name
        for name, kind in types.items()
        if kind.api in aimed.audiences and (allowed is None or name in allowed)
    }
    return replace(aimed, details=tuple(item for item in held if item["type"] in here))


def said(details: Sequence[dict[str, Any]] | None) -> dict[str, object]:
    """The member of a token response, or of an introspection answer (sections 7 and 9.2)."""
    return {"authorization_details": list(details)} if details else {}


def _parsed(text: str) -> Details:
    if len(text) > LONGEST:
        raise InvalidAuthorizationDetails("authorization_details is too long")
    try:
        found = json_value(text.encode())
    except (Unverifiable, UnicodeEncodeError):
        raise InvalidAuthorizationDetails("authorization_details is not JSON") from None
    if not isinstance(found, list) or not 0 < len(found) <= MOST:
        raise InvalidAuthorizationDetails("authorization_details is not a list of a few objects")
    if not all(isinstance(detail, dict) for detail in found) or _depth(found) > DEEPEST:
        raise InvalidAuthorizationDetails("authorization_details has something else than objects")
    return tuple(found)


def _types_of(client: ClientView) -> frozenset[str] | None:
    """The types it registered (section 10); None is every type."""
    types = client.details.get("authorization_details_types")
    return frozenset(types) if types is not None else None


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0) if isinstance(value, dict | list) else 0
