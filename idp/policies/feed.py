"""The words of the feed, which the provider writes and every guard reads.

A row is `[key, until, generation]`. `key` stands for a kind and a subject and cannot be turned
back into them; `until` (epoch seconds) is when no token can name it any more; `generation` is
null or a number. Rows come in order of their sequence numbers, and of two rows with the same
key the later one counts: one whose `until` is past takes the earlier one back.

    sid, line, jti   tokens that carry this value are over
    account          tokens of this subject with `gen` below the generation are over
    client           tokens of this client are over
    state            what the server says of this subject changed; the generation is its version
"""

from hashlib import sha256
from struct import Struct

SID, LINE, JTI = "sid", "line", "jti"
ACCOUNT, CLIENT, STATE = "account", "client", "state"

BITS = 60
_SPARE = 64 - BITS
_first_number = Struct(">Q").unpack_from

STREAM, FIELD = "idp:feed:{epoch}", "news"  # in Redis; the field is JSON


def key(kind: str, subject: str) -> int:
    """What the feed calls a subject of this kind: the first 60 bits of a hash."""
    number: int = _first_number(sha256(f"{kind}:{subject}".encode()).digest())[0]
    return number >> _SPARE
