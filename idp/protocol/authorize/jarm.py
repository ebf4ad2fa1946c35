"""Signed answers (JWT Secured Authorization Response Mode): nobody on the way changes a word of
what the browser brings to the client, or passes on what was meant for another.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from idp.crypto import jose
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.metadata.profiles import SIGNED_WITH

LIVES = timedelta(minutes=5)
USUAL = "RS256"  # JARM section 3


def signed(
    said: Mapping[str, str], client: ClientView, op: Provider, now: datetime
) -> dict[str, str]:
    """All of an answer in one parameter, for this client and for the next minutes (section 2.1)."""
    usual = USUAL if client.profile is None else SIGNED_WITH
    alg = str(client.details.get("authorization_signed_response_alg", usual))
    claims = {**said, "aud": client.client_id, "exp": int((now + LIVES).timestamp())}
    return {"response": jose.sign(op.keys.signer(alg, now), claims, typ="JWT")}


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it (section 4)."""
    return {"authorization_signing_alg_values_supported": list(jose.OUR_ALGORITHMS)}
