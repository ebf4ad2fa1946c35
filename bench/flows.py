"""The flows, what each says and must be answered, and what it may cost."""

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.drive import Conversation, WrongAnswer
from bench.stock import API, CALLBACK, OPENID, SCOPE, Stock
from bench.wire import Reply, get, post

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@dataclass(frozen=True, slots=True)
class Flow:
    """One thing a provider is asked for. A budget is so many times a bare Flask route."""

    name: str
    begin: Callable[[Stock, int], Sequence[Conversation]]
    sqlite: float | None = None
    postgresql: float | None = None
    refill: Callable[[Stock, Sequence[Conversation]], None] | None = None


@dataclass(slots=True)
class Again:
    """The same request again and again; the answer must contain what it is for."""

    request: bytes
    expected: bytes
    status: int = 200

    def say(self) -> bytes:
        return self.request

    def hear(self, reply: Reply) -> None:
        text = reply.head + reply.body
        if reply.status != self.status or self.expected not in text:
            raise WrongAnswer(f"{self.request[:60]!r} was answered {text[:300]!r}")


@dataclass(slots=True)
class Chain:
    """A refresh token, then the one that came back, and so on."""

    basic: str
    token: str

    def say(self) -> bytes:
        form = {"grant_type": "refresh_token", "refresh_token": self.token}
        return post("/token", form, Authorization=self.basic)

    def hear(self, reply: Reply) -> None:
        if reply.status != 200:
            raise WrongAnswer(f"a refresh was answered {reply.status} {reply.body[:300]!r}")
        following = json.loads(reply.body)["refresh_token"]
        if following == self.token:
            raise WrongAnswer("the refresh token was not rotated")
        self.token = following


@dataclass(slots=True)
class Spending:
    """A token that is live, each time another, until there are none left."""

    basic: str
    tokens: deque[str]

    def say(self) -> bytes | None:
        try:
            token = self.tokens.popleft()
        except IndexError:
            return None
        return post("/revoke", {"token": token}, Authorization=self.basic)

    def hear(self, reply: Reply) -> None:
        if reply.status != 200:
            raise WrongAnswer(f"a revocation was answered {reply.status} {reply.body[:300]!r}")


def hello(connections: int) -> Sequence[Conversation]:
    """The yardstick."""
    return [Again(get("/"), b"hello") for _ in range(connections)]


def _discovery(_stock: Stock, connections: int) -> Sequence[Conversation]:
    request = get("/.well-known/openid-configuration")
    return [Again(request, b'"token_endpoint"') for _ in range(connections)]


def _jwks(_stock: Stock, connections: int) -> Sequence[Conversation]:
    return [Again(get("/jwks.json"), b'"keys"') for _ in range(connections)]


def _client_credentials(stock: Stock, connections: int) -> Sequence[Conversation]:
    form = {"grant_type": "client_credentials", "scope": SCOPE}
    request = post("/token", form, Authorization=stock.robot.basic)
    return [Again(request, b'"access_token"') for _ in range(connections)]


def _refresh(stock: Stock, connections: int) -> Sequence[Conversation]:
    tokens = stock.lines(connections, (SCOPE,), (API,))
    return [Chain(stock.rp.basic, token) for token in tokens]


def _refresh_openid(stock: Stock, connections: int) -> Sequence[Conversation]:
    tokens = stock.lines(connections, (*OPENID, SCOPE), (API,))
    return [Chain(stock.rp.basic, token) for token in tokens]


def _introspect_jwt(stock: Stock, connections: int) -> Sequence[Conversation]:
    tokens = stock.access_tokens(connections, (SCOPE,), (API,))
    return [_introspection(stock.api.basic, token) for token in tokens]


def _introspect_handle(stock: Stock, connections: int) -> Sequence[Conversation]:
    tokens = stock.lines(connections, (SCOPE,), (API,))
    return [_introspection(stock.rp.basic, token) for token in tokens]


def _introspection(basic: str, token: str) -> Conversation:
    return Again(post("/introspect", {"token": token}, Authorization=basic), b'"active":true')


def _userinfo(stock: Stock, connections: int) -> Sequence[Conversation]:
    tokens = stock.access_tokens(connections, OPENID, ())
    return [
        Again(get("/userinfo", Authorization=f"Bearer {token}"), b'"email"') for token in tokens
    ]


def _authorize(stock: Stock, connections: int) -> Sequence[Conversation]:
    address = (
        f"/authorize?client_id={stock.rp.client_id}&redirect_uri={CALLBACK}&response_type=code"
        f"&scope=openid%20profile%20email&state=st4te&nonce=n0nce"
        f"&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
    cookies = [
        f"idp_session={person.cookie}; idp_browser=br_{'x' * 43}"
        for person in stock.people[:connections]
    ]
    return [Again(get(address, Cookie=cookie), b"?code=ac_", status=303) for cookie in cookies]


def _revocation(stock: Stock, connections: int) -> Sequence[Conversation]:
    tokens: deque[str] = deque()
    return [Spending(stock.rp.basic, tokens) for _ in range(connections)]


def _refill_lines(stock: Stock, conversations: Sequence[Conversation]) -> None:
    _tokens(conversations).extend(stock.lines(STOCKED, (SCOPE,), (API,)))


def _refill_access(stock: Stock, conversations: Sequence[Conversation]) -> None:
    _tokens(conversations).extend(stock.client_tokens(STOCKED))


def _revocation_access(stock: Stock, connections: int) -> Sequence[Conversation]:
    tokens: deque[str] = deque()
    return [Spending(stock.robot.basic, tokens) for _ in range(connections)]


def _tokens(conversations: Sequence[Conversation]) -> deque[str]:
    first = conversations[0]
    if not isinstance(first, Spending):
        raise TypeError("only tokens that are spent can be refilled")
    first.tokens.clear()
    return first.tokens


STOCKED = 600

FLOWS = (
    Flow("discovery", _discovery, 1.3, 1.3),
    Flow("jwks", _jwks, 1.3, 1.3),
    Flow("client_credentials", _client_credentials, 3.5, 3.5),
    Flow("refresh, rotated", _refresh, 8, 12),
    Flow("refresh, with ID token (RS256)", _refresh_openid),
    Flow("introspection, JWT", _introspect_jwt, 4, 4),
    Flow("introspection, opaque", _introspect_handle, 7, 7),
    Flow("revocation, access token", _revocation_access, 8, 8, _refill_access),
    Flow("revocation, ends a line", _revocation, None, None, _refill_lines),
    Flow("userinfo", _userinfo, 6, 6),
    Flow("authorize, live session", _authorize, 15, 15),
)
