"""Session management: a value by which a client's page sees that its person's session at the
provider is another one, or over (OpenID Connect Session Management 1.0).
"""

import hashlib
from collections.abc import Mapping
from urllib.parse import urlsplit

from idp.crypto.secrets import new_id
from idp.domain import Provider

DEFAULT_PORTS = {"http": 80, "https": 443}


def session_state(client_id: str, redirect_uri: str, browser_state: str) -> str | None:
    """What goes back with an authorization response (section 2): the same for as long as the
    browser's state is, good for one client on one origin, and never with a space in it.
    None for an app that has no origin.
    """
    origin = origin_of(redirect_uri)
    if origin is None:
        return None
    salt = new_id()
    said = f"{client_id} {origin} {browser_state} {salt}"
    return f"{hashlib.sha256(said.encode()).hexdigest()}.{salt}"


def origin_of(address: str) -> str | None:
    """The origin of a web address, spelled as a browser spells it (RFC 6454 section 6.2)."""
    parts = urlsplit(address)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    named = parts.port not in (None, DEFAULT_PORTS[parts.scheme])
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if named else "")


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {"check_session_iframe": f"{op.rules.issuer}/check_session"}
