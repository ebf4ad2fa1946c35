"""The life of one person of a run, from sign-in to sign-out, and what is tried afterwards."""

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask

from tests.faults.history import SECOND, Recorder
from tests.faults.model import ACCOUNT, APP, BROWSER, LINE
from tests.faults.plan import APIS, PROMISES, SHORT, App, Plan
from tests.faults.steps import Held, Session, Steps

CHASED = 0.02
JUST_AFTER = 0.05
THIEVES, RACES, BESIDE = 0.15, 0.15, 0.3


@dataclass
class Life:
    """One thread; whose tokens are whose is in its memory only."""

    plan: Plan
    app: Flask
    recorder: Recorder
    name: str
    chance: random.Random
    people: list[str] = field(default_factory=list)
    past: list[Held] = field(default_factory=list)
    late: deque[tuple[float, Held, str]] = field(default_factory=deque)
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.steps = Steps(self.plan, self.app, self.recorder, self.name, self.chance)

    def until(self, ends: float) -> None:
        """One sign-in after the other."""
        self.over.clear()
        later = threading.Thread(target=self._come_back)
        later.start()
        while time.monotonic() < ends:
            self.once()
            self.try_the_past()
        self.over.set()
        later.join()

    def once(self) -> None:
        """Sign in, use it for a while, sign out, and see that it is over."""
        session = self.steps.sign_in(self.chance.choice(self.people))
        if session is None:
            time.sleep(0.2)
            return
        held = self._held(session, self.chance.sample(self.plan.apps, 2))
        for _ in range(self.chance.randint(2, 5)):
            if held:
                self._use(self.chance.choice(held))
        self.past += held
        ended = self._end(session, held)
        for each in ended:
            self._chase(each)

    def try_the_past(self) -> None:
        """Whatever happened since, what was over is over."""
        self.past = self.past[-40:]
        for held in self.chance.sample(self.past, min(3, len(self.past))):
            api, token = self.chance.choice(held.access)
            self.steps.call(held, api, token, self.chance.choice(self.plan.nodes))
            if held.over and self.chance.random() < 0.3:
                self.steps.refresh(held, self.chance.choice(held.refresh), self._api())

    def probe_all(self) -> None:
        """In the end: every token at every node, and which refresh tokens are alive."""
        for held in self.past:
            for api, token in held.access[-4:]:
                for node in self.plan.nodes:
                    self.steps.call(held, api, token, node)
            for token in held.refresh[-3:]:
                self.steps.leaf(held, token)

    def _held(self, session: Session, apps: list[App]) -> list[Held]:
        found = [self.steps.authorize(session, app, self._api()) for app in apps]
        return [held for held in found if held is not None]

    def _use(self, held: Held) -> None:
        """Refresh and call; now and then two at once, now and then a thief."""
        token = held.refresh[-1]
        if self.chance.random() < RACES:
            self._beside(
                lambda: self.steps.refresh(held, token, self._api()),
                lambda: self.steps.refresh(held, token, self._api()),
            )
        else:
            self.steps.refresh(held, token, self._api())
        api, access = held.access[-1]
        self.steps.call(held, api, access, self.chance.choice(self.plan.nodes))
        if len(held.refresh) > 1 and self.chance.random() < THIEVES:
            self.steps.refresh(held, held.refresh[0], self._api())

    def _end(self, session: Session, held: list[Held]) -> list[Held]:
        """One of the ways to sign out, perhaps beside a refresh; what is over then."""
        if not held:
            return []
        scope, one = self.chance.choice((LINE, APP, BROWSER, ACCOUNT)), self.chance.choice(held)
        token = one.refresh[-1]
        ways: dict[str, Callable[[], bool]] = {
            LINE: lambda: self.steps.revoke(session, one),
            APP: lambda: self.steps.out_of_app(session, one),
            BROWSER: lambda: self.steps.out_of_browser(session, one),
            ACCOUNT: lambda: self.steps.out_of_everything(session),
        }
        over = [one] if scope in (LINE, APP) else held
        if self.chance.random() < BESIDE:
            done: list[bool] = []
            self._beside(
                lambda: done.append(ways[scope]()),
                lambda: self.steps.refresh(one, token, self._api()),
            )
            ended = done == [True]
        else:
            ended = ways[scope]()
        if not ended:
            return []
        for each in over:
            each.over = True
        return over

    def _chase(self, held: Held) -> None:
        """Call until everybody refuses, or until that is long overdue."""
        ends = time.monotonic()
        for api, token in dict(held.access[-4:]).items():
            if api == "short":
                self.steps.call(held, api, token, self.chance.choice(self.plan.nodes))
                self.late.append((held.since[token] + SHORT + JUST_AFTER, held, token))
                continue
            patience = PROMISES.outlives[api] / SECOND
            ends, nodes = time.monotonic() + patience + 0.3, list(self.plan.nodes)
            while nodes and time.monotonic() < ends:
                verdicts = [(node, self.steps.call(held, api, token, node)) for node in nodes]
                nodes = [node for node, verdict in verdicts if verdict != "reject"]
                time.sleep(CHASED)

    def _come_back(self) -> None:
        """Call with each token that must just have run out."""
        while not (self.over.is_set() and not self.late):
            if not self.late or self.late[0][0] > time.monotonic():
                time.sleep(CHASED)
                continue
            _, held, token = self.late.popleft()
            for node in self.plan.nodes:
                self.steps.call(held, "short", token, node)

    def _api(self) -> str:
        return self.chance.choice(list(APIS))

    def _beside(self, *acts: Callable[[], object]) -> None:
        threads = [threading.Thread(target=act) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
