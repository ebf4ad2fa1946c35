"""RP-initiated logout, and the making of a logout token.

OpenID Connect RP-Initiated Logout 1.0; OpenID Connect Back-Channel Logout 1.0 section 2.4.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from idp.crypto import jose
from idp.crypto.secrets import new_id
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.sessions import Participation, Session
from idp.protocol.errors import InvalidRequest
from idp.protocol.messages import OAuthRequest

TOKEN_LIVES = timedelta(minutes=2)
EVENT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST_STATE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutDraft:
    """What a client asks for when it sends a browser here to sign out."""

    client: ClientView | None = None
    participation: Participation | None = None
    hinted_sub: str | None = None
    post_logout_redirect_uri: str | None = None
    state: str | None = None

    def concerns(self, session: Session | None) -> bool:
        """Whether the hint is about this very session: then nobody needs to be asked."""
        if session is None or self.hinted_sub is None:
            return False
        known = self.client.sub_of(session.account_id) if self.client else session.account_id
        if self.hinted_sub != known:
            return False
        return self.participation is None or self.participation.session_id == session.id

    @property
    def location(self) -> str | None:
        """Where the browser goes afterwards, with `state` and nothing else (section 3)."""
        uri = self.post_logout_redirect_uri
        if uri is None or self.state is None:
            return uri
        return uri + ("&" if urlsplit(uri).query else "?") + urlencode({"state": self.state})


def examine(request: OAuthRequest, op: Provider) -> LogoutDraft:
    """Check hint, client and address (section 2). Raises `InvalidRequest` for a page of ours:
    a refusal here is never a redirect.
    """
    parameters = request.parameters
    if parameters.repeated():
        raise InvalidRequest("a parameter is there more than once")
    said = _hint(parameters.get("id_token_hint"), op, request.now)
    client = _client(said, parameters.get("client_id"), op)
    uri = parameters.get("post_logout_redirect_uri")
    if uri is not None:
        if client is None:
            raise InvalidRequest("post_logout_redirect_uri needs to be known from whom it comes")
        if uri not in client.post_logout_redirect_uris:
            raise InvalidRequest("the post_logout_redirect_uri is not registered")
    if uri is not None and said is None:
        uri = None if client is None or client.dynamic else uri
    sid = said.get("sid") if said is not None else None
    state = parameters.get("state")
    return LogoutDraft(
        client=client,
        participation=op.sessions.participation(sid) if isinstance(sid, str) else None,
        hinted_sub=str(said["sub"]) if said is not None else None,
        post_logout_redirect_uri=uri,
        state=state if state is None or len(state) <= LONGEST_STATE else None,
    )


def logout_token(
    op: Provider, *, client_id: str, sub: str, sid: str, alg: str, now: datetime
) -> str:
    """A fresh logout token, signed as the client's ID tokens are (section 2.4)."""
    issued = int(now.timestamp())
    claims: dict[str, object] = {
        "iss": op.rules.issuer,
        "aud": client_id,
        "iat": issued,
        "exp": issued + int(TOKEN_LIVES.total_seconds()),
        "jti": new_id(),
        "sub": sub,
        "sid": sid,
        "events": {EVENT: {}},
    }
    return jose.sign(op.keys.signer(alg, now), claims, typ="logout+jwt")


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {
        "end_session_endpoint": f"{op.rules.issuer}/end_session",
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }


def _hint(hint: str | None, op: Provider, now: datetime) -> dict[str, Any] | None:
    """The ID token that was sent along: ours by signature, perhaps expired (section 4)."""
    if hint is None:
        return None
    try:
        said = jose.verify(hint, op.keys.verification_keys(now), jose.OUR_ALGORITHMS, typ="jwt")
    except jose.Unverifiable:
        raise InvalidRequest("id_token_hint is not one of ours") from None
    ours = said.get("iss") == op.rules.issuer and isinstance(said.get("sub"), str)
    if not ours or not isinstance(said.get("aud"), str):
        raise InvalidRequest("id_token_hint is not one of ours")
    return said


def _client(
    said: Mapping[str, Any] | None, client_id: str | None, op: Provider
) -> ClientView | None:
    """The client that asks: the hint's audience, and client_id must say the same (section 2)."""
    if said is not None and client_id is not None and said["aud"] != client_id:
        raise InvalidRequest("client_id and id_token_hint name different clients")
    name = said["aud"] if said is not None else client_id
    return op.clients.find(name) if name is not None else None
