"""What was measured: one row for each policy, and what the run was like."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

MS = 1000.0


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of one thing, in milliseconds."""

    p50: float
    p99: float
    max: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Spread":
        """The middle, the 99th of 100, and the worst."""
        ordered = sorted(value * MS for value in seconds)
        return cls(_round(median(ordered)), _round(_nearest(ordered, 99)), _round(ordered[-1]))


@dataclass(frozen=True, slots=True)
class SignOut:
    """From the answered sign-out to the API's first refusal, over all rounds."""

    took: Spread
    let_through: int
    """How many calls were let through after the sign-out was answered, in all rounds."""

    never_refused: int
    refresh_refused: bool
    """Whether the stolen refresh token was refused afterwards, in every round."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call with a token that was seen before costs."""

    guard_cpu_us: float
    guard_wall_us: float
    call_ms: float
    provider_calls: float
    store_calls: float | None
    """Calls of the guard to a store of its own; None where no store is configured."""

    feed_per_second: float
    refresh_ms: float
    state_bytes: int
    state_rows: dict[str, int]
    redis_bytes: int | None


@dataclass(frozen=True, slots=True)
class Thief:
    """What somebody got on another device who had copied tokens and secret, but has no key."""

    access_worked: bool
    old_refresh_worked: bool
    owner_kept_line_after_old: bool
    new_refresh_worked: bool
    owner_kept_line_after_new: bool
    loot_ended: bool | None
    """Whether what the thief was given went out of use when the owner renewed; None if nothing
    was given.
    """

    loot_ended_by_sign_out: bool | None
    """Whether it was out of use a moment after the owner's sign-out, refresh token included."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Something fell silent: for how long the API went on (None: throughout), what it said
    then, and whether it worked again afterwards.
    """

    went_on_for: float | None
    then: int
    watched: float
    recovered: bool


@dataclass(slots=True)
class Row:
    """One policy."""

    policy: str
    partner: str | None
    asks: str
    ends: str
    lifetime: int | None
    """The lifetime of its access tokens in this run, where it was made short."""

    cost: Cost | None = None
    sign_out: SignOut | None = None
    thief: Thief | None = None
    role_change_ms: float | None = None
    feed_silent: Outage | None = None
    store_down: Outage | None = None
    provider_down: Outage | None = None


@dataclass(slots=True)
class Comparison:
    """A whole run. The machine is named only as far as the figures depend on it."""

    at: str
    cores: int
    database: str
    redis: bool
    calls: int
    rounds: int
    max_silence: float
    seconds: float = 0.0
    rows: list[Row] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def comparison_of(data: Mapping[str, Any]) -> Comparison:
    """A run that was kept, as it was."""
    return Comparison(**{**data, "rows": [_row_of(row) for row in data["rows"]]})


def _row_of(data: Mapping[str, Any]) -> Row:
    row = Row(**data)
    if data["cost"] is not None:
        row.cost = Cost(**data["cost"])
    if data["sign_out"] is not None:
        row.sign_out = SignOut(**{**data["sign_out"], "took": Spread(**data["sign_out"]["took"])})
    if data["thief"] is not None:
        row.thief = Thief(**data["thief"])
    for name in ("feed_silent", "store_down", "provider_down"):
        if data[name] is not None:
            setattr(row, name, Outage(**data[name]))
    return row


def _nearest(ordered: Sequence[float], percent: int) -> float:
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def _round(value: float) -> float:
    return round(value, 2)
