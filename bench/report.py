"""The figures of a run, beside their budgets, for people and for programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median, quantiles

MS = 1000.0


@dataclass(slots=True)
class Samples:
    """What was measured of one flow on one store, round by round."""

    flow: str
    store: str
    budget: float | None
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Times are milliseconds, and medians over the rounds."""

    flow: str
    store: str
    requests: int
    per_second: float
    p50: float
    p99: float
    processor: float
    database: float
    ratio: float
    budget: float | None

    @property
    def verdict(self) -> str:
        """pass, FAIL, or nothing where there is no budget."""
        if self.budget is None:
            return ""
        return "pass" if self.ratio <= self.budget else "FAIL"


def summary(samples: Samples) -> Row:
    """The figures of one flow."""
    count = len(samples.latencies)
    cuts = quantiles(samples.latencies, n=100)
    return Row(
        flow=samples.flow,
        store=samples.store,
        requests=count,
        per_second=count / samples.seconds,
        p50=cuts[49] * MS,
        p99=cuts[98] * MS,
        processor=median(samples.processor) * MS,
        database=median(samples.database) * MS,
        ratio=median(samples.ratios),
        budget=samples.budget,
    )


def as_text(rows: Sequence[Row]) -> str:
    """A table for people."""
    head = f"{'flow':<32}{'store':<12}{'req/s':>7}{'p50 ms':>8}{'p99 ms':>8}"
    head += f"{'CPU ms':>8}{'db ms':>7}{'x hello':>9}{'budget':>8}"
    lines = [head, "-" * (len(head) + 6)]
    for row in rows:
        budget = f"{row.budget:g}" if row.budget is not None else "-"
        lines.append(
            f"{row.flow:<32}{row.store:<12}{row.per_second:>7.0f}{row.p50:>8.2f}{row.p99:>8.2f}"
            f"{row.processor:>8.3f}{row.database:>7.3f}{row.ratio:>9.2f}{budget:>8}  {row.verdict}"
        )
    return "\n".join(lines)


def as_data(rows: Sequence[Row]) -> list[dict[str, object]]:
    """The same for programs."""
    return [asdict(row) | {"verdict": row.verdict} for row in rows]
