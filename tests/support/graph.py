"""Random people, browsers, apps and tokens, grown the way the provider grows them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import strategies as st

from idp.crypto.confirmation import Confirmation
from idp.domain import Provider
from idp.domain.grants import Allowance, Line
from idp.domain.login import Proof
from idp.domain.sessions import Participation, Session
from idp.domain.tokens import AccessToken
from idp.protocol.claims import access_token, aim
from idp.protocol.possession import bound_to
from tests.support.world import World

APIS = {
    "https://short.test": ["short_jwt"],
    "https://listed.test": ["allow_list"],
    "https://opaque.test": ["opaque", "per_audience"],
    "https://denied.test": ["jti_denylist"],
    "https://state.test": ["session_state"],
}
ADDRESSES = ("192.0.2.1", "198.51.100.7")
KEYS = ("k" * 43, "K" * 43)
NAMES = count()

FIRST = (("session", 0, 0, 0), ("session", 1, 1, 0), ("line", 0, 0, 1), ("line", 0, 1, 3))
Step = tuple[str, int, int, int]  # what grows, and three numbers that say where and how

STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(
        st.sampled_from(("session", "line", "line", "line", "token", "wait")),
        *(st.integers(0, 11) for _ in range(3)),  # type: ignore[arg-type]
    ),
    min_size=6,
    max_size=16,
)


@dataclass(frozen=True)
class Out:
    """An access token that is out, and the API it is for."""

    line: Line
    token: AccessToken
    audience: str


@dataclass
class Graph:
    """What grew. `now` moves while it grows, so that things begin at different times."""

    world: World
    clients: list[str]
    now: datetime
    accounts: list[str] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    participations: dict[str, Participation] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    out: list[Out] = field(default_factory=list)

    @property
    def op(self) -> Provider:
        return self.world.op

    def grow(self, steps: list[Step]) -> None:
        """Two people with a browser each, and whatever the steps add."""
        for _ in range(2):
            self.accounts.append(self.op.accounts.create(f"g{next(NAMES)}", None, {}, self.now).id)
        for what, *numbers in (*FIRST, *steps):
            getattr(self, f"_{what}")(*numbers)

    def _session(self, who: int, where: int, _: int) -> None:
        proof = Proof(self.accounts[who % 2], ("pwd",), "1", self.now)
        address = ADDRESSES[where % 2]
        opened = self.op.sessions.open(proof, user_agent="Firefox", address=address, now=self.now)
        self.sessions.append(opened[0])

    def _line(self, where: int, which: int, how: int) -> None:
        session = self.sessions[where % len(self.sessions)]
        client = self.op.clients.find(self.clients[which % len(self.clients)])
        assert client is not None
        part = self.op.sessions.participate(session.id, session.account_id, client, self.now)
        grant = self.op.grants.allow(
            session.account_id,
            client.client_id,
            scopes=["openid"],
            resources=APIS,
            claims=[],
            now=self.now,
        )
        allowed = Allowance(
            scopes=("openid", "offline_access") if how % 3 == 0 else ("openid",),
            resources=tuple(APIS),
            claims_request={},
            offline=how % 3 == 0,
            auth_time=self.now,
            acr="1",
            amr=("pwd",),
            bound_to=Confirmation(jkt=(None, *KEYS)[how % 4 % 3]),
        )
        line, refresh = self.op.grants.start_line(grant.id, part, allowed, self.now)
        self.op.grants.keep(refresh, line, self.now)
        self.participations[part.sid] = part
        self.lines.append(line)
        self._token(len(self.lines) - 1, how, 0)

    def _token(self, which: int, where: int, _: int) -> None:
        line = self.lines[which % len(self.lines)]
        client = self.op.clients.find(line.client_id)
        assert client is not None
        api = tuple(APIS)[where % len(APIS)]
        aimed = aim(self.op, client, line.scopes, line.resources, (api,), bound_to(line))
        minted = access_token(self.op, line, aimed, self.now)
        token = self.op.tokens.read_access(minted.value, self.now)
        assert token is not None
        self.out.append(Out(line, token, api))

    def _wait(self, minutes: int, _: int, __: int) -> None:
        self.now += timedelta(minutes=minutes)

    def running_out(self, out: Out) -> datetime:
        return datetime.fromtimestamp(out.token.expires_at, UTC)
