"""Who descends from whom, and since when each family of tokens must be over.

A family is what one authorization code bought: it belongs to one session, one account, one
client. Whatever ended it, what counts is when the sign-out had been answered.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.faults.history import FAIL, Op

LINE, APP, BROWSER, ACCOUNT = "line", "app", "browser", "account"
NEVER = 1 << 63


@dataclass(frozen=True, slots=True)
class Family:
    """One line of tokens. `born` is when its code had reached the client."""

    name: str
    session: str
    account: str
    client: str
    born: int

    def scopes(self) -> list[tuple[str, str]]:
        """What a sign-out that covers it may have named."""
        return [
            (LINE, self.name),
            (APP, f"{self.session} {self.client}"),
            (BROWSER, self.session),
            (ACCOUNT, self.account),
        ]


class Ends:
    """The answered sign-outs of one scope: which was answered first of those begun later?"""

    def __init__(self, ends: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(ends)
        self._began = [began for began, _ in ordered]
        self._first = [answered for _, answered in ordered]
        for place in range(len(ordered) - 2, -1, -1):
            self._first[place] = min(self._first[place], self._first[place + 1])

    def after(self, born: int) -> int:
        """When the first sign-out that began at this moment or later had been answered."""
        place = bisect_left(self._began, born)
        return self._first[place] if place < len(self._first) else NEVER


@dataclass
class Model:
    """The history, sorted out."""

    ops: list[Op]
    by_op: dict[str, list[Op]] = field(default_factory=lambda: defaultdict(list))
    families: dict[str, Family] = field(default_factory=dict)
    over: dict[str, int] = field(default_factory=dict)
    session_over: dict[str, int] = field(default_factory=dict)
    minted: dict[str, int] = field(default_factory=dict)
    """By access token, when it had reached the client."""
    settled: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    """By family, the first sign-out whose receipt names guards: when it had been answered, and
    what it says of each.
    """
    told: set[str] = field(default_factory=set)
    """Families whose sign-out is one that apps hear of."""

    @property
    def faults(self) -> list[Op]:
        """What was done to the servers."""
        return self.by_op["fault"]


def build(ops: Iterable[Op]) -> Model:
    """Sort a history out; n log n."""
    model = Model(sorted(ops, key=lambda op: op.began))
    for op in model.ops:
        model.by_op[op.op].append(op)
    for op in model.by_op["authorize"]:
        if op.ok:
            name = op["family"]
            given = (name, op["session"], op["account"], op["client"], op.ended)
            model.families[name] = Family(*given)
    bought = [*model.by_op["redeem"], *model.by_op["refresh"]]
    model.minted = {op.get("access"): op.ended for op in bought if op.ok}
    ends = _ends(model.by_op["end"])
    for family in model.families.values():
        _close(model, family, ends)
    _settle(model)
    for name, when in _given_away(model):
        model.over[name] = min(model.over.get(name, NEVER), when)
    for op in model.by_op["sign_in"]:
        if op.ok:
            model.session_over[op.key] = _first(
                ends, ((BROWSER, op.key), (ACCOUNT, op["account"])), op.ended
            )
    return model


def first_spends(model: Model) -> dict[str, Op]:
    """By one-use token, the use that was answered first."""
    found: dict[str, Op] = {}
    for op in [*model.by_op["redeem"], *model.by_op["refresh"]]:
        if op.ok and (op.key not in found or op.ended < found[op.key].ended):
            found[op.key] = op
    return found


def _first(ends: dict[tuple[str, str], Ends], scopes: Iterable[tuple[str, str]], born: int) -> int:
    return min((ends[s].after(born) for s in scopes if s in ends), default=NEVER)


def _close(model: Model, family: Family, ends: dict[tuple[str, str], Ends]) -> None:
    moments = {s[0]: ends[s].after(family.born) for s in family.scopes() if s in ends}
    model.over[family.name] = min(moments.values(), default=NEVER)
    if min((when for kind, when in moments.items() if kind != LINE), default=NEVER) < NEVER:
        model.told.add(family.name)


def _settle(model: Model) -> None:
    said = {op["of"]: op["guards"] for op in model.by_op["receipt"] if op.ok and op["guards"]}
    named = [op for op in model.by_op["end"] if op.ok and op.get("number") in said]
    guards = {op.ended: said[op["number"]] for op in named}
    ends = _ends(named)
    for family in model.families.values():
        when = _first(ends, family.scopes(), family.born)
        if when < NEVER:
            model.settled[family.name] = (when, guards[when])


def _ends(ops: Iterable[Op]) -> dict[tuple[str, str], Ends]:
    found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for op in ops:
        if op.ok:
            found[op["scope"], op.key].append((op.began, op.ended))
    return {scope: Ends(times) for scope, times in found.items()}


def _given_away(model: Model) -> Iterable[tuple[str, int]]:
    """Families of which something came back that had been spent, and was refused for it."""
    first = first_spends(model)
    for op in [*model.by_op["redeem"], *model.by_op["refresh"]]:
        spent = first.get(op.key)
        if spent is None or op.outcome != FAIL or op.get("error") != "invalid_grant":
            continue
        if op.began > spent.ended + (op.get("grace") or 0):
            yield op["family"], op.ended
