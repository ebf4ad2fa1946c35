"""A sign-in that begins here and not at the app (OpenID Connect Core section 4)."""

from urllib.parse import urlencode, urlsplit

from idp.domain import Provider
from idp.domain.clients import ClientView


def opening(client: ClientView, op: Provider) -> str | None:
    """The address that has an app begin a sign-in with us, and where it leads afterwards: to the
    app's home. None for an app that has no such address.
    """
    begins = client.details.get("initiate_login_uri")
    if begins is None:
        return None
    parts = urlsplit(begins)
    home = client.details.get("client_uri") or f"{parts.scheme}://{parts.netloc}/"
    joined = "&" if parts.query else "?"
    named = urlencode({"iss": op.rules.issuer, "target_link_uri": home})
    return f"{begins.removesuffix('?')}{joined}{named}"
