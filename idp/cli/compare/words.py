"""What the figures mean, in words: every sentence is chosen by what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from idp.cli.compare.figures import Comparison, Outage, Row, SignOut, Thief

ASKED = {
    "NOTHING": "nobody",
    "FEED": "its own copy of the feed",
    "LIST": "the list of good tokens",
    "PROVIDER": "the provider",
}
AT_ONCE = 0.25
GONE = "-"


@dataclass(frozen=True, slots=True)
class Told:
    """One policy in words."""

    name: str
    asked: str
    sign_out: str
    let_through: str
    access: str
    refresh: str
    roles: str
    feed_silent: str
    store_down: str
    provider_down: str


def tell(row: Row) -> Told:
    """All that can be said of one row."""
    return Told(
        name=row.policy + (f" (with {row.partner})" if row.partner else ""),
        asked=ASKED[row.asks],
        sign_out=sign_out(row.sign_out),
        let_through=GONE if row.sign_out is None else str(row.sign_out.let_through),
        access=_access(row),
        refresh=_refresh(row.thief),
        roles=_roles(row),
        feed_silent=outage(row.feed_silent),
        store_down=outage(row.store_down),
        provider_down=outage(row.provider_down),
    )


def sign_out(found: SignOut | None) -> str:
    """p50, p99 and the worst, as a person reads times."""
    if found is None:
        return GONE
    took = found.took
    never = f"; {found.never_refused} never" if found.never_refused else ""
    return f"{duration(took.p50)} / {duration(took.p99)} / {duration(took.max)}{never}"


def duration(milliseconds: float) -> str:
    """Milliseconds, or seconds when there are many of them."""
    if milliseconds >= 1000:  # noqa: PLR2004 - a second
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 1 or not milliseconds else "<1 ms"


def outage(found: Outage | None) -> str:
    """What an API did while something was silent."""
    if found is None:
        return GONE
    back = "" if found.recovered else "; and did not recover"
    if found.went_on_for is None:
        return f"goes on{back}"
    when = "at once" if found.went_on_for < AT_ONCE else f"after {found.went_on_for:.1f} s"
    return f"refuses {when} ({found.then}){back}"


def _access(row: Row) -> str:
    if row.thief is None or row.sign_out is None:
        return GONE
    if not row.thief.access_worked:
        return "nothing: it wants the key of the device"
    if not row.sign_out.let_through:
        return "the API, until the sign-out"
    return f"the API, until {duration(row.sign_out.took.max)} after the sign-out"


def _refresh(thief: Thief | None) -> str:
    if thief is None:
        return GONE
    if not (thief.new_refresh_worked or thief.old_refresh_worked):
        return "nothing: it wants the key of the device"
    if not thief.owner_kept_line_after_new:
        until = "; then the line ends, theirs too" if thief.loot_ended else ""
        return f"new tokens, until the owner renews{until}"
    if thief.loot_ended_by_sign_out:
        return "new tokens, unnoticed, until the sign-out"
    return "new tokens, unnoticed; the last one runs out after the sign-out"


def _roles(row: Row) -> str:
    if row.role_change_ms is None:
        return "not kept here"
    return f"counts after {duration(row.role_change_ms)}"


def tables(found: Comparison) -> str:
    """Two tables for a terminal: the figures, and what happened."""
    told = [tell(row) for row in found.rows]
    figures = [
        {
            "policy": said.name,
            "sign-out p50 / p99 / max": said.sign_out,
            "let through": said.let_through,
            **_costs(row),
        }
        for row, said in zip(found.rows, told, strict=True)
    ]
    words = [
        {
            "policy": said.name,
            "stolen access token": said.access,
            "stolen refresh token": said.refresh,
            "role change": said.roles,
        }
        for said in told
    ]
    silent = [
        {
            "policy": said.name,
            "asked at each call": said.asked,
            "feed silent": said.feed_silent,
            "Redis gone": said.store_down,
            "provider hangs": said.provider_down,
        }
        for said in told
    ]
    return "\n\n".join([heading(found), *(_table(rows) for rows in (figures, words, silent))])


def heading(found: Comparison) -> str:
    """What the figures were measured on and with."""
    redis = "with Redis" if found.redis else "without Redis"
    short = sorted({row.lifetime for row in found.rows if row.lifetime})
    lives = f"; tokens that run out live {short[0]} s here" if short else ""
    return (
        f"{found.at}: {found.cores} cores, {found.database}, {redis}; {found.calls} calls and "
        f"{found.rounds} sign-outs for each policy{lives}; max_silence {found.max_silence:g} s; "
        f"measured in {found.seconds:.0f} s."
    )


def _costs(row: Row) -> Mapping[str, str]:
    cost = row.cost
    if cost is None:
        return {}
    store = GONE if cost.store_calls is None else f"{cost.store_calls:g}"
    more = f" + {cost.redis_bytes} in Redis" if cost.redis_bytes else ""
    return {
        "guard CPU / wall us": f"{cost.guard_cpu_us:.0f} / {cost.guard_wall_us:.0f}",
        "call ms": f"{cost.call_ms:.2f}",
        "asks provider": f"{cost.provider_calls:g}",
        "asks Redis": store,
        "refresh ms": f"{cost.refresh_ms:.0f}",
        "bytes a session": f"{cost.state_bytes}{more}",
    }


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    names = list(rows[0]) if rows else []
    lines = [names, *([row.get(name, GONE) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(names))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
