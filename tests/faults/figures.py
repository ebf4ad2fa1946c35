"""What a history says in numbers."""

from collections import defaultdict
from collections.abc import Iterable

from tests.faults.checks import DURABLE, FINAL, ONCE, Promises, Violation
from tests.faults.history import SECOND, Op
from tests.faults.liveness import OURS, recoveries, shares, unanswered
from tests.faults.model import NEVER, Model, build

SHOWN = 20


def report(history: Iterable[Op], promises: Promises, broken: list[Violation]) -> str:
    """The figures of a run as text."""
    model = build(history)
    asked = [op for op in model.ops if op.op not in OURS]
    away = [op for op in asked if unanswered(op)]
    ends = [op for op in model.by_op["end"] if op.ok]
    count = defaultdict(int, dict.fromkeys((FINAL, ONCE, DURABLE), 0))
    for each in broken:
        count[each.rule] += 1
    lines = [
        f"operations          {len(asked):>7}, of which {len(away)} without an answer",
        f"acknowledged sign-outs {len(ends):>4}, of {len(model.families)} lines",
        f"notices heard       {len(model.by_op['notice']):>7}",
        f"double spends       {count[ONCE]:>7}",
        f"lost revocations    {count[DURABLE]:>7}",
        f"acceptances past T  {count[FINAL]:>7}",
        f"violations in all   {len(broken):>7}",
        "",
        "seconds a token outlived its answered sign-out",
        f"  {'policy':10} {'tokens':>7} {'p50':>7} {'p99':>7} {'max':>7}   promised",
        *_outlived(model, promises),
        "",
        *map(str, shares(model, promises.recovery)),
        "",
        "seconds that a fault lasted, until whoever was hit was there again, and from then to the",
        "last operation without an answer",
        *_recovery(model),
    ]
    lines += [f"BROKEN {each.rule}: {each.said}: {each.op}" for each in broken[:SHOWN]]
    return "\n".join(lines)


def _outlived(model: Model, promises: Promises) -> list[str]:
    """By policy: of each ended token that was tried, the last time it was let in."""
    last: dict[tuple[str, str], int] = defaultdict(int)
    for op in model.by_op["call"]:
        over = model.over.get(op["family"], NEVER)
        if op.ok and op.began > over:
            late = op.began - over if op["verdict"] == "accept" else 0
            place = (op["policy"], op.key)
            last[place] = max(last[place], late)
    by_policy: dict[str, list[int]] = defaultdict(list)
    for (policy, _), late in last.items():
        by_policy[policy].append(late)
    return [
        f"  {policy:10} {len(found):>7} {_share(found, 0.5):>7.3f} {_share(found, 0.99):>7.3f} "
        f"{max(found) / SECOND:>7.3f}   {promises.outlives[policy] / SECOND:.0f}"
        for policy, found in sorted(by_policy.items())
    ]


def _recovery(model: Model) -> list[str]:
    """By kind of fault and of all; 0 when nobody noticed its end."""
    found: dict[str, list[int]] = defaultdict(list)
    lasted: dict[str, int] = defaultdict(int)
    for name, length, late in recoveries(model):
        found[name].append(late)
        lasted[name] = max(lasted[name], length)
    found = dict(sorted(found.items()))
    if found:
        found |= {"all of them": [late for times in found.values() for late in times]}
        lasted["all of them"] = max(lasted.values())
    return [
        f"  {name:18} {len(times):>4} times   lasted {lasted[name] / SECOND:.2f} at most   "
        f"then p50 {_share(times, 0.5):.2f}   p99 {_share(times, 0.99):.2f}   "
        f"max {max(times) / SECOND:.2f}"
        for name, times in found.items()
    ]


def _share(values: list[int], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / SECOND
