"""What a relying party reads in a signed answer, and checks of it (conformance B.10)."""

from datetime import datetime

from joserfc import jwt
from joserfc.jwk import KeySet

from tests.conformance.checks import Json

FAPI = ("PS256", "ES256", "Ed25519")


def read(said: Json, keys: KeySet, listed: list[str], client_id: str, now: datetime) -> Json:
    """The parameters inside: nothing stands beside the answer, and the answer is for this client,
    for at least ten seconds and at most ten minutes.
    """
    assert set(said) == {"response"}
    answer = jwt.decode(said["response"], keys, algorithms=list(FAPI))
    assert answer.header["kid"]
    assert answer.header["alg"] in listed
    inside = dict(answer.claims)
    assert inside.pop("aud") == client_id
    assert 10 <= inside.pop("exp") - now.timestamp() <= 600
    return inside
