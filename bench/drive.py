"""Drives one flow for a moment over several connections at once, and takes the time."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bench.wire import Connection, Reply


class WrongAnswer(Exception):
    """The server did not do what the flow is about; a figure for that would mean nothing."""


class Conversation(Protocol):
    """What one connection says. It goes on where it stood when the next slice begins."""

    def say(self) -> bytes | None:
        """The next request; None when there is nothing left to say."""

    def hear(self, reply: Reply) -> None:
        """The answer to it; raises `WrongAnswer`."""


@dataclass(slots=True)
class Slice:
    """What was seen in one slice of time: how long it was, and how long each answer took."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)


def drive(port: int, conversations: Sequence[Conversation], seconds: float) -> Slice:
    """Let each conversation go on over a connection of its own until the time is over."""
    seen = Slice()
    faults: list[Exception] = []
    began = time.perf_counter()

    def work(conversation: Conversation) -> None:
        try:
            _converse(port, conversation, began + seconds, seen.latencies)
        except (WrongAnswer, OSError, ValueError) as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(each,)) for each in conversations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    seen.seconds = time.perf_counter() - began
    return seen


def _converse(port: int, conversation: Conversation, ends: float, latencies: list[float]) -> None:
    connection = Connection(port)
    try:
        going = True  # at least once, however late a busy machine lets us begin
        while going and (request := conversation.say()) is not None:
            sent = time.perf_counter()
            reply = connection.ask(request)
            latencies.append(time.perf_counter() - sent)
            conversation.hear(reply)
            going = time.perf_counter() < ends
    finally:
        connection.close()
