"""The checks find each seeded bug, and nothing in a provider without one."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checks import (
    DELIVERED,
    DURABLE,
    EXPIRED,
    FINAL,
    LIVENESS,
    ONCE,
    STRICT,
    Promises,
    Violation,
    check,
)
from tests.faults.history import SECOND, Recorder, mark, read
from tests.faults.stubs import (
    NODES,
    SEEDED,
    AnsweredBeforeCommit,
    Away,
    CacheWithoutEnd,
    ConfirmedBeforeApplied,
    DenylistPerProcess,
    GenerationInSeconds,
    NonAtomicRefresh,
    OutboxInMemory,
    OutlivesItsEnd,
    Refused,
    RevokedInMemory,
    SlowToComeBack,
    Toy,
)
from tests.support.spec import spec

FOUND_BY = {
    NonAtomicRefresh: ONCE,
    RevokedInMemory: DURABLE,
    DenylistPerProcess: FINAL,
    CacheWithoutEnd: FINAL,
    AnsweredBeforeCommit: DURABLE,
    OutboxInMemory: DELIVERED,
    GenerationInSeconds: FINAL,
}


class Story:
    """The same life at every provider: sign in, refresh twice at once, call, sign out, kill,
    come back.
    """

    def __init__(self, provider: type[Toy], path: Path) -> None:
        self.recorder = Recorder(path / "history.jsonl")
        self.path = path / "history.jsonl"
        self.toy = provider(self.tell, threading.Barrier(2))

    def live(self) -> list[Violation]:
        """From the first sign-in to the verdict."""
        tokens = {name: self.sign_in(name) for name in ("f", "g", "h")}
        self.at_once(tokens["h"][1])
        self.call_everywhere(tokens)
        self.end("browser", "s f", ["f"])
        self.kill()
        self.refresh("f", tokens["f"][1])
        self.everything("ann g")
        self.toy.work()
        self.call_everywhere(tokens)
        self.recorder.close()
        return check(read([self.path]), Promises(outlives={"toy": 0}, recovery=SECOND))

    def rules(self, **promises: Any) -> set[str]:
        """What was broken so far."""
        self.recorder.close()
        found = check(read([self.path]), Promises(**{"outlives": {"toy": 0}} | promises))
        return {each.rule for each in found}

    def sign_in(self, name: str) -> tuple[str, str]:
        given = {"family": name, "session": f"s {name}", "account": f"ann {name}"}
        with self.recorder.doing("ann", "sign_in", f"s {name}", account=f"ann {name}") as doing:
            doing.ok()
        with self.recorder.doing("ann", "authorize", client="notes", **given) as doing:
            doing.ok()
        with self.recorder.doing("ann", "redeem", name, family=name) as doing:
            access, refresh = self.toy.redeem(name)
            doing.ok(access=mark(access), refresh=mark(refresh), sid=f"sid {name}")
        return access, refresh

    def refresh(self, family: str, token: str) -> None:
        with self.recorder.doing("ann", "refresh", mark(token), family=family) as doing:
            try:
                access, successor = self.toy.refresh(token)
            except Refused:
                doing.fail(error="invalid_grant", status=400)
            else:
                doing.ok(access=mark(access), refresh=mark(successor))

    def at_once(self, token: str) -> None:
        racers = [threading.Thread(target=self.refresh, args=("h", token)) for _ in range(2)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()

    def call_everywhere(self, tokens: dict[str, tuple[str, str]]) -> None:
        for family, (access, _) in tokens.items():
            for node in NODES:
                self.call(node, family, access)

    def call(self, node: str, family: str, token: str) -> None:
        said = {"family": family, "policy": "toy", "node": node}
        with self.recorder.doing("ann", "call", mark(token), **said) as doing:
            try:
                verdict = "accept" if self.toy.call(node, token) else "reject"
            except Away:
                doing.fail(status=503)
            else:
                doing.ok(verdict=verdict, guard=node)

    def end(self, scope: str, key: str, families: list[str]) -> None:
        with self.recorder.doing("ann", "end", key, scope=scope, number=key) as doing:
            self.toy.end("n1", families)
            doing.ok()
        with self.recorder.doing("ann", "receipt", key, of=key) as doing:
            doing.ok(guards=self.toy.confirmed())

    def everything(self, account: str) -> None:
        """The toy has one generation for all, so that `h` is over too; nobody is told."""
        with self.recorder.doing("ann", "end", account, scope="account") as doing:
            self.toy.end_everything()
            self.tell("g", "the one notice of it")
            doing.ok()

    def kill(self) -> None:
        with self.recorder.doing("nemesis", "fault", "kill") as doing:
            self.toy.kill()
            doing.ok()

    def tell(self, family: str, jti: str) -> None:
        with self.recorder.doing("app", "notice", f"sid {family}", jti=jti) as doing:
            doing.ok()


@spec("C.4")
def test_a_provider_without_a_bug_passes(tmp_path: Path) -> None:
    assert Story(Toy, tmp_path).live() == []


@spec("C.4")
@pytest.mark.parametrize("provider", SEEDED)
def test_each_seeded_bug_is_found(provider: type[Toy], tmp_path: Path) -> None:
    found = {each.rule for each in Story(provider, tmp_path).live()}

    assert FOUND_BY[provider] in found


@spec("C.4", "P4", "P8")
@pytest.mark.parametrize(("provider", "found"), [(Toy, set()), (ConfirmedBeforeApplied, {STRICT})])
def test_a_guard_that_confirms_before_it_has_applied_the_row_is_found(
    provider: type[Toy], found: set[str], tmp_path: Path
) -> None:
    story = Story(provider, tmp_path)
    access, _ = story.sign_in("f")
    story.end("browser", "s f", ["f"])
    for node in NODES:
        story.call(node, "f", access)
    story.toy.work()

    assert story.rules(outlives={"toy": 3 * SECOND}, strict=frozenset({"toy"})) == found


@spec("C.4", "P4")
@pytest.mark.parametrize(("provider", "found"), [(Toy, set()), (OutlivesItsEnd, {EXPIRED})])
def test_a_token_that_lives_a_second_longer_is_found(
    provider: type[Toy], found: set[str], tmp_path: Path
) -> None:
    story = Story(provider, tmp_path)
    story.toy.life = 0.1
    access, _ = story.sign_in("f")
    for wait in (0.0, 0.15):
        time.sleep(wait)
        story.call("n1", "f", access)

    assert story.rules(lives={"toy": SECOND // 10}) == found


@spec("C.4", "F-01")
@pytest.mark.parametrize(("provider", "found"), [(Toy, set()), (SlowToComeBack, {LIVENESS})])
def test_a_provider_that_is_away_after_the_fault_is_over_is_found(
    provider: type[Toy], found: set[str], tmp_path: Path
) -> None:
    story = Story(provider, tmp_path)
    access, _ = story.sign_in("f")
    story.kill()
    for _ in range(300):
        time.sleep(0.002)
        story.call("n1", "f", access)

    assert story.rules(recovery=SECOND // 10) == found
