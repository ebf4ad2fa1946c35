"""An authorization request on its way to becoming certain."""

from dataclasses import dataclass, field
from typing import Any

from idp.domain.clients import ClientView


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is asked for, as far as the rules have read it. It can be parked as JSON."""

    client: ClientView
    redirect_uri: str
    redirect_uri_sent: bool
    state: str | None = None
    response_type: str = ""
    response_mode: str = "query"
    scopes: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    nonce: str | None = None
    code_challenge: str | None = None
    dpop_jkt: str | None = None
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    acr_essential: bool = False
    login_hint: str | None = None
    hinted_sub: str | None = None
    ui_locales: tuple[str, ...] = ()
    claims: dict[str, Any] = field(default_factory=dict)
    authorization_details: tuple[dict[str, Any], ...] = ()
    signed: bool = False  # whether it came as a request object
    session_state: str | None = None
    pushed: str | None = None  # which pushed request it is, as the digest of its handle in hex

    def gives(self, what: str) -> bool:
        """Whether the response type has this word: `code`, `id_token` or `token`."""
        return what in self.response_type.split(" ")

    @property
    def offline(self) -> bool:
        return "offline_access" in self.scopes

    def parked(self) -> dict[str, Any]:
        """The draft as JSON; the client is named, and looked up again afterwards."""
        kept = _fields(self)
        kept["client_id"] = self.client.client_id
        kept["prompt"] = sorted(self.prompt)
        return kept

    @classmethod
    def resumed(cls, parked: dict[str, Any], client: ClientView) -> "Draft":
        """The draft again."""
        kept = {name: value for name, value in parked.items() if name != "client_id"}
        for name in ("scopes", "resources", "acr_values", "ui_locales", "authorization_details"):
            kept[name] = tuple(kept[name])
        kept["prompt"] = frozenset(kept["prompt"])
        return cls(client=client, **kept)


def _fields(draft: Draft) -> dict[str, Any]:
    """Every field but the client, which is looked up and not remembered."""
    names = [name for name in Draft.__dataclass_fields__ if name != "client"]
    return {name: _plain(getattr(draft, name)) for name in names}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
