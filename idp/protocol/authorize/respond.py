"""The way back: where the answer goes, in which form, and always with `iss` (RFC 9207)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from idp.domain import Provider
from idp.domain.metadata import response_types
from idp.protocol.authorize import jarm
from idp.protocol.authorize.checks.channel import RESPONSE_MODES
from idp.protocol.authorize.draft import Draft
from idp.protocol.errors import ProtocolError


@dataclass(frozen=True, slots=True)
class Reply:
    """What the browser brings back to the client: by redirect, or by a form that posts itself."""

    redirect_uri: str
    mode: str
    parameters: Mapping[str, str]

    @property
    def location(self) -> str:
        """The address to redirect to; a query that was registered is kept (RFC 6749 3.1.2)."""
        if self.mode == "fragment":
            return f"{self.redirect_uri}#{urlencode(self.parameters)}"
        joined = "&" if urlsplit(self.redirect_uri).query else "?"
        bare = self.redirect_uri.removesuffix("?")
        return bare + joined + urlencode(self.parameters)

    @property
    def origin(self) -> str:
        return origin(self.redirect_uri)


def origin(redirect_uri: str) -> str:
    """Where an answer leads, as a page's `form-action` names it."""
    parts = urlsplit(redirect_uri)
    if parts.scheme in ("http", "https"):
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"


def success(draft: Draft, given: Mapping[str, str], op: Provider, now: datetime) -> Reply:
    """What was asked for, and nothing else."""
    return _reply(draft, {**given}, op, now)


def refusal(draft: Draft, error: ProtocolError, op: Provider, now: datetime) -> Reply:
    """The error in the same channel the code would have taken (RFC 6749 section 4.1.2.1)."""
    said = {"error": error.error}
    if error.description:
        said["error_description"] = error.description
    return _reply(draft, said, op, now)


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {
        "authorization_endpoint": f"{op.rules.issuer}/authorize",
        "response_types_supported": list(
            response_types.supported(legacy=op.rules.legacy_response_types)
        ),
        "response_modes_supported": list(RESPONSE_MODES),
        "authorization_response_iss_parameter_supported": True,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "display_values_supported": ["page", "popup", "touch", "wap"],
    }


def _reply(draft: Draft, said: dict[str, str], op: Provider, now: datetime) -> Reply:
    if draft.state is not None:
        said["state"] = draft.state
    if draft.session_state is not None:
        said["session_state"] = draft.session_state
    said["iss"] = op.rules.issuer
    mode = draft.response_mode.removesuffix(".jwt")
    if mode != draft.response_mode:
        said = jarm.signed(said, draft.client, op, now)
    return Reply(draft.redirect_uri, mode, said)
