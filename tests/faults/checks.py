"""What must be true of every history (pure functions, each n log n): the promises, read off
what clients, APIs and apps have seen.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.faults.history import FAIL, SECOND, Op
from tests.faults.liveness import Windows, shares
from tests.faults.model import NEVER, Model, build, first_spends

FINAL = "sign-out is final"
STRICT = "a strict sign-out is over when it is answered"
EXPIRED = "a token is over when it expires"
RESURRECTION = "no resurrection"
ONCE = "at most once"
REUSE = "reuse ends the family"
MONOTONE = "no node changes its mind"
DURABLE = "what was acknowledged is durable"
DELIVERED = "every app is told"
LIVENESS = "it works while nothing is wrong"

RECOVERY = 3 * SECOND
SIGNING_OUT = 3 * SECOND


@dataclass(frozen=True, slots=True)
class Promises:
    """How long a token may outlive a sign-out, in nanoseconds by policy; and how long one may
    whose sign-out met one of these faults, or was answered shortly after it. How long one lives
    at all. And whose guards are waited for when sign-out is strict.
    """

    outlives: Mapping[str, int] = field(default_factory=dict)
    lives: Mapping[str, int] = field(default_factory=dict)
    strict: frozenset[str] = frozenset()
    outlives_with: Mapping[str, int] = field(default_factory=dict)
    hindered_by: frozenset[str] = frozenset()
    recovery: int = RECOVERY

    def hindrances(self, model: Model) -> "Windows":
        """When those faults were."""
        return Windows(
            (f.began, f.ended + SIGNING_OUT) for f in model.faults if f.key in self.hindered_by
        )

    def limit(self, policy: str, over: int, hindrances: "Windows") -> int:
        """What is promised of a token whose sign-out had been answered at this moment."""
        if policy in self.outlives_with and hindrances.touch(over, over + 1):
            return self.outlives_with[policy]
        return self.outlives[policy]


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, and by which operation."""

    rule: str
    said: str
    op: Op


def check(history: Iterable[Op], promises: Promises) -> list[Violation]:
    """Every broken promise of a history."""
    model = build(history)
    broken = [*sign_out_is_final(model, promises), *no_resurrection(model)]
    return [
        *broken,
        *strict_is_at_once(model, promises),
        *nothing_outlives_its_end(model, promises),
        *durable(model, broken),
        *at_most_once(model),
        *one_leaf(model),
        *no_node_changes_its_mind(model),
        *every_app_is_told(model),
        *works_while_nothing_is_wrong(model, promises),
    ]


def sign_out_is_final(model: Model, promises: Promises) -> list[Violation]:
    """No API lets a token in that was called with later than T after the answered sign-out."""
    reused, hindrances = _families_of_thieves(model), promises.hindrances(model)
    return [
        Violation(
            REUSE if model.over[op["family"]] == reused.get(op["family"]) else FINAL,
            f"{op['policy']} at {op['node']}, {late / SECOND:.3f} s after the sign-out",
            op,
        )
        for op in model.by_op["call"]
        if op.ok and op["verdict"] == "accept"
        for over in [model.over.get(op["family"], NEVER)]
        for late in [op.began - over]
        if late > 0 and late > promises.limit(op["policy"], over, hindrances)
    ]


def strict_is_at_once(model: Model, promises: Promises) -> list[Violation]:
    """What a receipt says of guards is true when the sign-out is answered: one that confirmed
    refuses, and one that ran out of lease trusts nothing that it knew before.
    """
    return [
        Violation(STRICT, f"{op['policy']}, though its guard has {said.get(op['guard'])}", op)
        for op in model.by_op["call"]
        if op.ok and op["verdict"] == "accept" and op["policy"] in promises.strict
        for over, said in [model.settled.get(op["family"], (NEVER, {}))]
        if op.began > over
    ]


def nothing_outlives_its_end(model: Model, promises: Promises) -> list[Violation]:
    """No API lets a token in that was called with later than it can live."""
    return [
        Violation(EXPIRED, f"{op['policy']}, {late / SECOND:.3f} s after its end", op)
        for op in model.by_op["call"]
        if op.ok and op["verdict"] == "accept" and op["policy"] in promises.lives
        for late in [op.began - model.minted.get(op.key, NEVER) - promises.lives[op["policy"]]]
        if late > 0
    ]


def no_resurrection(model: Model) -> list[Violation]:
    """Nothing new comes from what was over when it was asked for."""
    tokens = [
        Violation(RESURRECTION, f"{op.op} of a family that was over", op)
        for op in [*model.by_op["redeem"], *model.by_op["refresh"]]
        if op.ok and op.began > model.over.get(op["family"], NEVER)
    ]
    codes = [
        Violation(RESURRECTION, "a code from a session that was over", op)
        for op in model.by_op["authorize"]
        if op.ok and op.began > model.session_over.get(op["session"], NEVER)
    ]
    return tokens + codes


def durable(model: Model, broken: Iterable[Violation]) -> list[Violation]:
    """What was ended is still over after a fault; those that came back with one."""
    found = []
    for each in broken:
        over = model.over.get(each.op["family"], NEVER) if each.op.get("family") else NEVER
        between = [f for f in model.faults if over < f.began and f.began < each.op.began]
        if between:
            found.append(Violation(DURABLE, f"back after {between[-1].key}: {each.said}", each.op))
    return found


def at_most_once(model: Model) -> list[Violation]:
    """A code and a refresh token buy once; inside the grace all are given the same successor."""
    first = first_spends(model)
    found = []
    for op in [*model.by_op["redeem"], *model.by_op["refresh"]]:
        spent = first.get(op.key)
        if not op.ok or spent is None or op is spent:
            continue
        grace = op.get("grace") or 0
        if not grace or op["refresh"] != spent["refresh"]:
            found.append(Violation(ONCE, f"{op.op}: two successors of one token", op))
        elif op.began > spent.ended + grace:
            found.append(Violation(ONCE, f"{op.op}: the same again after the grace", op))
    return found


def one_leaf(model: Model) -> list[Violation]:
    """Of each family one refresh token is alive at the end, or none."""
    alive: dict[str, list[Op]] = defaultdict(list)
    for op in model.by_op["leaf"]:
        if op.ok and op["active"]:
            alive[op["family"]].append(op)
    twice = [
        Violation(ONCE, "two live refresh tokens in one family", ops[1])
        for ops in alive.values()
        if len({op.key for op in ops}) > 1
    ]
    ghosts = [
        Violation(RESURRECTION, "a live refresh token in a family that was over", op)
        for ops in alive.values()
        for op in ops
        if op.began > model.over.get(op["family"], NEVER)
    ]
    return twice + ghosts


def no_node_changes_its_mind(model: Model) -> list[Violation]:
    """Who has refused a token never lets it in again."""
    refused: dict[tuple[str, str], int] = {}
    calls = [op for op in model.by_op["call"] if op.ok]
    for op in calls:
        if op["verdict"] == "reject":
            place = (op["node"], op.key)
            refused[place] = min(op.ended, refused.get(place, NEVER))
    return [
        Violation(MONOTONE, f"{op['policy']}: {op['node']} let in what it had refused", op)
        for op in calls
        if op["verdict"] == "accept" and op.began > refused.get((op["node"], op.key), NEVER)
    ]


def every_app_is_told(model: Model) -> list[Violation]:
    """One valid notice at least for each ended sign-in of an app that wants them, and none for
    one that nobody ended; no two with the same `jti`.
    """
    heard: dict[str, list[Op]] = defaultdict(list)
    for op in model.by_op["notice"]:
        if op.ok:
            heard[op.key].append(op)
    found, ended = [], _maybe_ended(model)
    for op in model.by_op["redeem"]:
        if not op.ok or not op.get("sid"):
            continue
        family = model.families[op["family"]]
        if op["family"] in model.told and op["sid"] not in heard:
            found.append(Violation(DELIVERED, f"{family.client} never heard of its sign-out", op))
        if op["sid"] in heard and not ended & set(family.scopes()[1:]):
            found.append(Violation(DELIVERED, f"{family.client} was told of no sign-out", op))
    return found + _same_twice(heard)


def works_while_nothing_is_wrong(model: Model, promises: Promises) -> list[Violation]:
    """In calm times 999 of 1,000 are answered, and 99 of 100 of those that a fault spares."""
    return [
        Violation(LIVENESS, str(share), share.failed[0])
        for share in shares(model, promises.recovery)
        if not share.enough
    ]


def _families_of_thieves(model: Model) -> dict[str, int]:
    """When each family was given away by a token that came back."""
    first = first_spends(model)
    found: dict[str, int] = {}
    for op in model.by_op["refresh"]:
        spent = first.get(op.key)
        if spent is not None and op.outcome == FAIL and op.began > spent.ended:
            found[op["family"]] = min(op.ended, found.get(op["family"], NEVER))
    return found


def _maybe_ended(model: Model) -> set[tuple[str, str]]:
    return {(op["scope"], op.key) for op in model.by_op["end"] if op.outcome != FAIL}


def _same_twice(heard: Mapping[str, list[Op]]) -> list[Violation]:
    seen: set[str] = set()
    found = []
    for ops in heard.values():
        for op in ops:
            if op["jti"] in seen:
                found.append(Violation(DELIVERED, "the same notice twice", op))
            seen.add(op["jti"])
    return found
