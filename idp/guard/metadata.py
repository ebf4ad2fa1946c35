"""What an API says of itself, so that clients find its issuer by themselves (RFC 9728)."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from idp.crypto import dpop

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedResource:
    """What people and clients may know about an API beforehand."""

    name: str | None = None
    scopes: Sequence[str] = ()
    documentation: str | None = None
    policy: str | None = None
    terms: str | None = None
    details_types: Sequence[str] = ()
    """The types of authorization details it understands (RFC 9396)."""
    bound: bool = False
    """Whether it takes no token that is not bound to a key."""


def path_of(audience: str) -> str:
    """Where the metadata of a resource is served (section 3.1): before its own path."""
    parts = urlsplit(audience)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("only a resource with an address of the web has metadata")
    path = "" if parts.path == "/" else parts.path
    return WELL_KNOWN + path + (f"?{parts.query}" if parts.query else "")


def address_of(audience: str) -> str:
    """The whole address of it, as a challenge names it (section 5.1)."""
    path, parts = path_of(audience), urlsplit(audience)
    return f"{parts.scheme}://{parts.netloc}{path}"


def document(issuer: str, audience: str, about: ProtectedResource) -> dict[str, object]:
    """The metadata itself (section 2); what is not known is left out."""
    said: dict[str, object] = {
        "resource": audience,
        "authorization_servers": [issuer],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": list(dpop.ALGORITHMS),
        "dpop_bound_access_tokens_required": about.bound,
    }
    more = {
        "scopes_supported": list(about.scopes),
        "resource_name": about.name,
        "resource_documentation": about.documentation,
        "resource_policy_uri": about.policy,
        "resource_tos_uri": about.terms,
        "authorization_details_types_supported": list(about.details_types),
    }
    return said | {name: value for name, value in more.items() if value}
