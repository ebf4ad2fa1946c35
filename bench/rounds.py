"""Rounds: every flow on every store for a moment, then all of it again, in another order.

What a shared machine does to one round it does to all of its flows, and each is held against
the yardstick of its own round; the median over the rounds is what counts.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.drive import Conversation, drive
from bench.flows import Flow, hello
from bench.report import Samples
from bench.servers import Server
from bench.stock import Stock

CONNECTIONS = 8
FEWEST_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Lane:
    """One flow on one server, and the conversations that carry it."""

    flow: Flow
    server: Server
    stock: Stock | None
    conversations: Sequence[Conversation]
    samples: Samples


def measure(
    yardstick: Server,
    providers: Sequence[tuple[Server, Stock]],
    flows: Sequence[Flow],
    *,
    seconds: float,
    moment: float,
) -> list[Samples]:
    """Go round until the time is over; the first round only warms up."""
    lanes = [_lane(flow, server, stock) for server, stock in providers for flow in flows]
    unit = _yardstick(yardstick)
    for lane in [unit, *lanes]:
        _once(lane, moment)
    _forget([unit, *lanes])
    ends, number = time.monotonic() + seconds, 0
    while number < FEWEST_ROUNDS or time.monotonic() < ends:
        _round(unit, lanes[number % len(lanes) :] + lanes[: number % len(lanes)], moment)
        number += 1
    return [unit.samples, *(lane.samples for lane in lanes)]


def _round(yardstick: Lane, lanes: Sequence[Lane], moment: float) -> None:
    """The yardstick is held up before, in the middle and after."""
    middle = len(lanes) // 2
    before = _once(yardstick, moment)
    costs = [_once(lane, moment) for lane in lanes[:middle]]
    between = _once(yardstick, moment)
    costs += [_once(lane, moment) for lane in lanes[middle:]]
    after = _once(yardstick, moment)
    unit = (before + between + after) / 3
    for lane, cost in zip(lanes, costs, strict=True):
        lane.samples.ratios.append(cost / unit)
    yardstick.samples.ratios.append(1.0)


def _once(lane: Lane, moment: float) -> float:
    """Drive one flow for a moment; the processor time each request took, in seconds."""
    if lane.flow.refill is not None and lane.stock is not None:
        lane.flow.refill(lane.stock, lane.conversations)
    ours, theirs = lane.server.processor()
    seen = drive(lane.server.port, lane.conversations, moment)
    ours_then, theirs_then = lane.server.processor()
    count, samples = len(seen.latencies), lane.samples
    samples.seconds += seen.seconds
    samples.latencies += seen.latencies
    samples.processor.append((ours_then - ours) / count)
    samples.database.append((theirs_then - theirs) / count)
    return samples.processor[-1]


def _lane(flow: Flow, server: Server, stock: Stock) -> Lane:
    budget = flow.postgresql if server.name == "postgresql" else flow.sqlite
    samples = Samples(flow.name, server.name, budget)
    return Lane(flow, server, stock, flow.begin(stock, CONNECTIONS), samples)


def _yardstick(server: Server) -> Lane:
    flow = Flow("hello (bare Flask)", lambda _stock, connections: hello(connections))
    samples = Samples(flow.name, "-", None)
    return Lane(flow, server, None, hello(CONNECTIONS), samples)


def _forget(lanes: Sequence[Lane]) -> None:
    for lane in lanes:
        for kept in (lane.samples.latencies, lane.samples.processor, lane.samples.database):
            kept.clear()
        lane.samples.seconds = 0.0
