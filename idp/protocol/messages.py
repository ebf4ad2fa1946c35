"""The only shapes that cross to the web floor: `OAuthRequest` in, `Answer` out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from idp.crypto.certificate import Certificate

JSON_TYPE = "application/json"
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Query or body parameters in the order they came; repeats are remembered."""

    pairs: Pairs = ()

    def get(self, name: str) -> str | None:
        """The first value; one sent without a value counts as not sent (RFC 6749 section 3.1)."""
        return next((value for key, value in self.pairs if key == name and value), None)

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.pairs if key == name and value)

    def repeated(self, *, except_for: frozenset[str] = frozenset()) -> frozenset[str]:
        """The names sent more than once (RFC 6749 sections 3.1 and 3.2 forbid it)."""
        seen: set[str] = set()
        twice: set[str] = set()
        for key, _ in self.pairs:
            (twice if key in seen else seen).add(key)
        return frozenset(twice - except_for)

    def __contains__(self, name: object) -> bool:
        return any(key == name for key, _ in self.pairs)

    def as_dict(self) -> dict[str, str]:
        """First value of each; empty values left out."""
        found: dict[str, str] = {}
        for key, value in self.pairs:
            if value:
                found.setdefault(key, value)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthRequest:
    """One request at a protocol endpoint. `query` and `body` are kept apart.

    `headers` has lower-case names and, for each, every value it was sent with.
    `address` is the caller's network address, and `certificate` what it has shown in the TLS
    handshake, as the trusted proxies told it.
    """

    method: str
    url: str
    now: datetime
    query: Parameters = field(default_factory=Parameters)
    body: Parameters = field(default_factory=Parameters)
    json: object = None
    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    address: str = ""
    certificate: Certificate | None = None  # shown in the TLS handshake (RFC 8705)
    path_argument: str = ""  # e.g. the client_id of /register/<client_id>

    @property
    def parameters(self) -> Parameters:
        """The body of a POST, the query of a GET: never a mixture."""
        return self.body if self.method == "POST" else self.query

    def header(self, name: str) -> str | None:
        values = self.headers.get(name.lower(), ())
        return values[0] if len(values) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back: JSON when `body` is a mapping, text otherwise."""

    status: int = 200
    body: Mapping[str, object] | str | bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON_TYPE
    cacheable: bool = False  # everything else is sent with Cache-Control: no-store
    later: "Callable[[], Answer] | None" = None  # what is answered instead, after the commit
