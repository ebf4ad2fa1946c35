"""Security event tokens (RFC 8417)."""

from collections.abc import Mapping
from datetime import datetime

from idp.crypto import jose
from idp.domain import Provider

TYP = "secevent+jwt"
ALG = "RS256"  # what every receiver can verify (CAEP Interoperability Profile 1.0 section 2.6)


def event_token(op: Provider, client_id: str, details: Mapping[str, object], now: datetime) -> str:
    """An event as a token for one receiver (RFC 8417 section 2.2).

    Each try signs it anew with the key of that moment; `jti` and `iat` stay, so that a receiver
    that has heard it knows it again.
    """
    claims = {"iss": op.rules.issuer, "aud": client_id, **details}
    return jose.sign(op.keys.signer(ALG, now), claims, typ=TYP)
