"""What introspection says, signed (RFC 9701): an API can keep it, show it, and hold us to it."""

from collections.abc import Mapping
from datetime import datetime

from idp.crypto import jose
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.protocol.encryption import Envelope
from idp.protocol.messages import Answer, OAuthRequest

TYPE = "token-introspection+jwt"
MEDIA_TYPE = f"application/{TYPE}"


def wanted(request: OAuthRequest) -> bool:
    """Whether the caller accepts the signed form (section 4)."""
    accepted = ",".join(request.headers.get("accept", ())).split(",")
    return any(_names_it(item) for item in accepted)


def signed(
    body: Mapping[str, object], caller: ClientView, closed: Envelope, op: Provider, now: datetime
) -> Answer:
    """The answer in a JWT for this caller (section 5), encrypted if it wants that. It has neither
    `sub` nor `exp` of its own, so that nobody takes it for a token (section 8.1).
    """
    alg = str(caller.details.get("introspection_signed_response_alg", "RS256"))
    claims = {
        "iss": op.rules.issuer,
        "aud": caller.client_id,
        "iat": int(now.timestamp()),
        "token_introspection": dict(body),
    }
    said = jose.sign(op.keys.signer(alg, now), claims, typ=TYPE)
    return Answer(body=closed.around(said), content_type=MEDIA_TYPE)


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it (section 7)."""
    return {"introspection_signing_alg_values_supported": list(jose.OUR_ALGORITHMS)}


def _names_it(accepted: str) -> bool:
    name, *parameters = (part.strip().lower() for part in accepted.split(";"))
    refused = any(_is_nothing(parameter) for parameter in parameters)
    return name == MEDIA_TYPE and not refused


def _is_nothing(parameter: str) -> bool:
    """`q=0` says that it is not wanted (RFC 9110 section 12.4.2)."""
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and value.strip().rstrip("0") in ("", "0.", ".")
