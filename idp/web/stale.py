"""A tab that was left open too long, or was answered already: where to go from there."""

from urllib.parse import urlencode, urlsplit

from flask import Response, request

from idp.domain.clients import ClientView
from idp.web.browser import current_session
from idp.web.pages import render
from idp.web.wire import log, now, provider, reference


def stale_page() -> Response:
    """Say so, and lead back to the app the page came from, if it is one we know."""
    op = provider()
    client = op.clients.find(request.values.get("client_id", ""))
    if client is not None and not client.enabled:
        client = None
    session = current_session(op, now())
    log.info("stale page", reference=reference(), path=request.path)
    return render(
        "interaction/stale.html",
        400,
        client=client,
        way_back=_way_back(client) if client is not None else None,
        account=op.accounts.find(session.account_id) if session is not None else None,
        reference=reference(),
    )


def _way_back(client: ClientView) -> str | None:
    """Where the app starts a sign-in (OpenID Connect Core section 4), its home page, or the
    site it has its answers sent to: all of them addresses it registered.
    """
    start = client.details.get("initiate_login_uri")
    if start:
        joined = "&" if urlsplit(start).query else "?"
        return f"{start}{joined}{urlencode({'iss': provider().rules.issuer})}"
    if client.details.get("client_uri"):
        return str(client.details["client_uri"])
    for uri in client.redirect_uris:
        parts = urlsplit(uri)
        if parts.scheme in ("https", "http"):
            return f"{parts.scheme}://{parts.netloc}/"
    return None
