"""Signed answers (JWT Secured Authorization Response Mode): nobody on the way changes a word of
what the browser brings to the client, or passes on what was meant for another. For a client that
registered for that they are encrypted besides, and nobody on the way reads them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from idp.crypto import jose, jwe
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.metadata.profiles import SIGNED_WITH
from idp.protocol.authorize.draft import Draft
from idp.protocol.errors import InvalidRequest

LIVES = timedelta(minutes=5)
USUAL = "RS256"  # section 3


def judge(draft: Draft, op: Provider, now: datetime) -> None:
    """Whether an answer can be made as the client wants it; raises `InvalidRequest`."""
    alg = draft.client.details.get("authorization_encrypted_response_alg")
    if draft.response_mode.endswith(".jwt") and alg is not None:
        _holder(draft.client, alg, op, now)


def signed(
    said: Mapping[str, str], client: ClientView, op: Provider, now: datetime
) -> dict[str, str]:
    """All of an answer in one parameter, for this client and for the next minutes (section 2.1).

    A refusal for which there is no key is signed and no more: it keeps no secret, and the client
    has to learn of it.
    """
    usual = USUAL if client.profile is None else SIGNED_WITH
    alg = str(client.details.get("authorization_signed_response_alg", usual))
    claims = {**said, "aud": client.client_id, "exp": int((now + LIVES).timestamp())}
    token = jose.sign(op.keys.signer(alg, now), claims, typ="JWT")
    try:
        return {"response": _encrypted(token, client, op, now)}
    except InvalidRequest:
        if "error" not in said:
            raise
        return {"response": token}


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it (section 4)."""
    return {
        "authorization_signing_alg_values_supported": list(jose.OUR_ALGORITHMS),
        "authorization_encryption_alg_values_supported": list(jwe.KEY_ALGORITHMS),
        "authorization_encryption_enc_values_supported": list(jwe.CONTENT_ALGORITHMS),
    }


def _encrypted(token: str, client: ClientView, op: Provider, now: datetime) -> str:
    """The same inside of an encryption, if the client registered for it (section 2.2)."""
    alg = client.details.get("authorization_encrypted_response_alg")
    if alg is None:
        return token
    enc = client.details.get("authorization_encrypted_response_enc", jwe.USUAL_CONTENT)
    return jwe.encrypt(token, _holder(client, alg, op, now), alg, enc)


def _holder(client: ClientView, alg: str, op: Provider, now: datetime) -> jwe.Holder:
    holder = op.clients.keys.to_encrypt_for(client.details, alg, now)
    if holder is None:
        raise InvalidRequest("the client has no key that answers can be encrypted for")
    return holder
