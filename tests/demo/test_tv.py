"""The television of the demo, with a provider that listens and a person who answers."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from client_demo import tv
from tests.support.device import answers
from tests.support.served import Served, served
from tests.support.spec import spec


@pytest.fixture(scope="module")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("tv")) as provider:
        provider.world.person("alice", name="Alice")
        yield provider


class Evening:
    """What the television says, and how long it waits; the person answers at the second wait."""

    def __init__(self, op: Served, answer: str) -> None:
        self.op, self.answer = op, answer
        self.said: list[str] = []
        self.waited: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        if len(self.waited) == 3 and self.answer:
            browser = self.op.world.browser()
            browser.sign_in()
            answers(browser, self.said[0].rpartition(" ")[2], self.answer)
        if len(self.waited) > 1:
            self.op.world.clock.advance(seconds=seconds if self.answer else 300)

    def watches(self) -> Any:
        with httpx.Client() as http:
            return tv.sign_in(http, self.op.url, self.said.append, self.sleep)


@spec("RFC 8628 section 3.5")
def test_the_television_greets_who_said_yes(op: Served) -> None:
    evening = Evening(op, "allow")

    person = evening.watches()

    assert person["name"] == "Alice"
    assert evening.said[0].startswith(f"Open {op.url}/device and type ")
    assert evening.waited == [5, 5, 5]


@pytest.mark.parametrize(("answer", "error"), [("deny", "access_denied"), ("", "expired_token")])
def test_the_television_says_why_nobody_is_signed_in(op: Served, answer: str, error: str) -> None:
    with pytest.raises(tv.Refused, match=error):
        Evening(op, answer).watches()
