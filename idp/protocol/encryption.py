"""Answers for the eyes of one client: signed first, then encrypted (OpenID Connect Core
section 10.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from idp.crypto import jwe
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.metadata import encryption
from idp.protocol.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Envelope:
    """What closes an answer: a key of the client's and two algorithms, or nothing."""

    holder: jwe.Holder | None = None
    alg: str = ""
    enc: str = ""

    @property
    def closes(self) -> bool:
        return self.holder is not None

    def around(self, said: str, *, signed: bool = True) -> str:
        """The answer as it is sent."""
        if self.holder is None:
            return said
        return jwe.encrypt(said, self.holder, self.alg, self.enc, nested=signed)


def envelope(op: Provider, client: ClientView, answer: str, now: datetime) -> Envelope:
    """The envelope a client wants around an answer. Asked for before anything is judged under a
    lock or written, for the key may have to be fetched from the client.
    """
    asked = encryption.wanted(client.details, answer)
    if asked is None:
        return Envelope()
    holder = op.clients.keys.to_encrypt_for(client.details, asked[0], now)
    if holder is None:
        raise InvalidRequest("the client has no key that its answer could be encrypted for")
    return Envelope(holder, *asked)


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {
        f"{answer}_encryption_{part}_values_supported": list(known)
        for answer in ("id_token", "userinfo", "introspection")
        for part, known in (("alg", jwe.KEY_ALGORITHMS), ("enc", jwe.CONTENT_ALGORITHMS))
    }
