"""What a preview says is what happens: over random people, browsers, apps, keys and tokens."""

from collections.abc import Iterator
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.domain.live import Lineage
from idp.domain.reach import DEVICE, EVERYWHERE, SELECTION, Filters, Scope, scope_of
from idp.domain.receipts import ASKED, CLOSING, ENDED, LIVES, SURVIVES
from idp.domain.sign_out import Because
from idp.domain.tokens import PolicySet, Presented, Standing
from idp.store import db
from tests.support.graph import APIS, KEYS, STEPS, Graph, Out
from tests.support.spec import spec
from tests.support.world import World, make_world

pytestmark = pytest.mark.slow

WHY = Because("administrator", "operator")
FIELDS = ("session_id", "client_id", "jkt", "address", "since", "but")
SINGLE = [set(names) for number in range(2) for names in combinations(FIELDS, number)]
NAMED = [*SINGLE * 4, *(set(names) for number in (2, 3) for names in combinations(FIELDS, number))]

House = tuple[World, list[str]]


class Row(Protocol):
    """A line of a receipt, or of the preview of one."""

    kind: Any
    name: Any
    reference: Any
    state: Any
    until: Any
    audience: Any


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = make_world(Path(tmp_path_factory.mktemp("preview")))
    with made.app.app_context():
        for identifier, policies in APIS.items():
            made.op.resources.add(identifier, identifier[8:], {}, policies, made.clock.now)
        db.session.commit()
    clients = [
        made.rp(
            "Notes",
            backchannel_logout_uri="https://rp.test/logout",
            frontchannel_logout_uri="https://rp.test/asked",
        ).client_id,
        made.rp("Photos", frontchannel_logout_uri="https://rp.test/photos").client_id,
        made.rp("Mail").client_id,
    ]
    yield made, clients
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def unit(house: House) -> Iterator[None]:
    with house[0].app.app_context():
        yield


def grown(house: House, steps: list[Any]) -> Graph:
    """A graph of its own; nothing of the one before is left."""
    db.session.rollback()
    graph = Graph(house[0], house[1], house[0].clock.now)
    graph.grow(steps)
    return graph


def meant(graph: Graph, names: set[str], number: int) -> Scope:
    """A sign-out that means one of the lines by these names, and so perhaps others, too."""
    line = graph.lines[number % len(graph.lines)]
    session = next(row for row in graph.sessions if row.id == line.session_id)
    values = {
        "session_id": line.session_id,
        "client_id": line.client_id,
        "jkt": line.jkt or KEYS[0],
        "address": session.address,
        "since": line.created_at,
        "but": graph.sessions[number % len(graph.sessions)].id,
    }
    return scope_of(line.account_id, Filters(**{name: values[name] for name in names}))


def facts(row: Row) -> tuple[Any, ...]:
    return (row.kind, row.name, row.reference, row.state, row.until, row.audience)


def alive(graph: Graph, now: datetime) -> set[str]:
    """Everything that the gate lets through, by its id."""
    live, found = graph.op.tokens.live, set[str]()
    for session in graph.sessions:
        if live.ended(Lineage(session_id=session.id), now) is None:
            found.add(session.id)
    for line in graph.lines:
        if live.ended(graph.op.tokens.lineage_of(line), now) is None:
            found.add(line.id)
    for sid in graph.participations:
        part = graph.op.sessions.participation(sid)
        if part is not None and part.ended_at is None:
            found.add(sid)
    return found


def covered(graph: Graph, scope: Scope) -> set[str]:
    """What is meant, by the words of the filters: nothing larger than what they name."""
    mine = {row.id: row for row in graph.sessions if row.account_id == scope.account_id}
    spared = scope.session_id is not None and scope.named <= {"session_id", "client_id"}

    def here(session_id: str, began: datetime) -> bool:
        session = mine.get(session_id)
        return (
            session is not None
            and scope.session_id in (None, session_id)
            and scope.but != session_id
            and scope.address in (None, session.address)
            and (scope.since is None or began >= scope.since)
        )

    found = {
        line.id
        for line in graph.lines
        if here(line.session_id, line.created_at)
        and scope.client_id in (None, line.client_id)
        and scope.jkt in (None, line.jkt)
        and not (spared and line.offline)
    }
    if scope.jkt is None:
        found |= {
            sid
            for sid, part in graph.participations.items()
            if here(part.session_id, part.created_at) and scope.client_id in (None, part.client_id)
        }
    if scope.jkt is None and scope.client_id is None:
        found |= {row.id for row in mine.values() if here(row.id, row.created_at)}
    return found


def refused(graph: Graph, out: Out, now: datetime) -> bool:
    """Whether the policies of the token refuse it, whoever asks them."""
    policies = PolicySet.named(out.token.policies)
    seen = Presented(resource=out.audience, proven_jkt=out.token.jkt)
    standing = Standing(graph.op.tokens, out.token.lineage, now)
    return "opaque" in policies.names or policies.check(out.token.facts, seen, standing) is not None


@spec("design section 6", "P1", "P8", "LGO-05", "FCL-01")
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=STEPS,
    earlier=st.none() | st.sampled_from(NAMED),
    names=st.sampled_from(NAMED),
    number=st.integers(0, 99),
)
def test_what_the_preview_says_is_what_happens_and_nothing_else_does(
    house: House,
    unit: None,
    steps: list[Any],
    earlier: set[str] | None,
    names: set[str],
    number: int,
) -> None:
    graph = grown(house, steps)
    outs, now = graph.op.sign_outs, graph.now
    if earlier is not None:
        outs.carry_out(meant(graph, earlier, number + 1), WHY, now)
    scope = meant(graph, names, number)
    before, concerned = alive(graph, now), outs.accounts_within(scope)
    expected = covered(graph, scope) & before

    seen_in = graph.sessions[number % len(graph.sessions)].id if number % 2 else None

    preview = outs.preview(scope, now, seen_in=seen_in)
    receipt = outs.carry_out(scope, WHY, now, seen_in=seen_in)

    lines = outs.receipts.lines(receipt.id) if receipt is not None else []
    told = [facts(row) for row in preview]
    assert told == [facts(row) for row in lines] or {row.state for row in preview} == {SURVIVES}
    over = {row.reference for row in lines if row.state != SURVIVES and row.kind != "access"}
    assert before - alive(graph, now) == over == expected
    assert (scope.account_id in concerned) >= (receipt is not None)
    asked = {row.reference for row in lines if row.state == ASKED}
    assert {graph.participations[sid].session_id for sid in asked} <= {seen_in}
    access = [row for row in lines if row.kind == "access"]
    running = [out for out in graph.out if graph.running_out(out) > now]
    still = {(out.line.id, out.audience) for out in running if out.line.id in expected}
    assert {(row.reference, row.audience) for row in access} == still
    for row in access:
        check_access(graph, row, now)


def check_access(graph: Graph, row: Row, now: datetime) -> None:
    """Tokens out end as the receipt says; here, at the provider, all of them are over."""
    mine = [
        out for out in graph.out if (out.line.id, out.audience) == (row.reference, row.audience)
    ]
    mine = [out for out in mine if graph.running_out(out) > now]
    judged = [
        graph.op.tokens.judge(
            out.token, Presented(resource=out.audience, proven_jkt=out.token.jkt), (), now
        )
        for out in mine
    ]
    assert None not in judged
    assert row.until == max(graph.running_out(out) for out in mine)
    assert row.state in (ENDED, CLOSING, LIVES)
    assert all(refused(graph, out, now) for out in mine) == (row.state != LIVES)


@pytest.mark.parametrize(
    ("filters", "kind"),
    [
        (Filters(), EVERYWHERE),
        (Filters(jkt="k"), DEVICE),
        (Filters(jkt="k", client_id="c"), SELECTION),
        (Filters(client_id="c", but="s"), SELECTION),
    ],
)
def test_a_sign_out_has_its_own_name_where_it_has_one(filters: Filters, kind: str) -> None:
    assert scope_of("u", filters).kind == kind
