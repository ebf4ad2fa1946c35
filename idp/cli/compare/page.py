"""The comparison as one page that needs nothing else, for somebody who is new to all this."""

import math
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from idp.cli.compare.figures import Comparison, Row
from idp.cli.compare.words import GONE, Told, duration, heading, tell
from idp.policies import POLICIES

STYLE = Path(__file__).with_name("page.css")
LEAST_MS, LEAST_US = 0.5, 1.0
SLOW_MS = 1000.0

LEAD = (
    "When you sign out, how long can somebody who has copied your token still get in? "
    "An access token is like a ticket: whoever holds it is let through. "
    "These are ten ways to make a ticket worthless, measured side by side."
)
SIGN_OUT = (
    "From the moment the sign-out page appears until the API says no, while it is being called "
    "without a pause. The bar is the middle of all rounds, the tick is the slowest. "
    "Each step of the scale is ten times the one before."
)
PRICE = (
    "What the API itself spends on one call with a token it has seen before, in millionths of a "
    "second. A policy that asks somebody at each call pays with time; one that keeps a copy of "
    "what has ended does not."
)
EACH = (
    "The thief has copied the tokens and even the app's secret, and uses them on another "
    "device. What they got, and what happened when something fell silent, is what was seen."
)


def page(found: Comparison) -> str:
    """The whole document."""
    rows = [(row, tell(row)) for row in found.rows]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>Ten ways to sign out</title>"
        f"<style>{STYLE.read_text()}</style></head>\n<body><main>"
        "<h1>Ten ways to sign out, and what each costs</h1>"
        f'<p class="lead">{LEAD}</p><p class="note">{escape(heading(found))}</p>'
        f"<h2>How long a stolen token lives on</h2><p>{SIGN_OUT}</p>{_sign_outs(rows)}"
        f"<h2>What a call costs</h2><p>{PRICE}</p>{_prices(rows)}"
        f'<h2>Each of them</h2><p>{EACH}</p><div class="cards">'
        f"{''.join(_card(row, said) for row, said in rows)}</div>"
        "</main></body></html>\n"
    )


def _sign_outs(rows: Sequence[tuple[Row, Told]]) -> str:
    """The chart of how long tokens outlive a sign-out."""
    worst = max((row.sign_out.took.max for row, _ in rows if row.sign_out), default=1.0)
    bars = []
    for row, said in rows:
        if row.sign_out is None:
            continue
        took = row.sign_out.took
        color = "slow" if took.p50 >= SLOW_MS else "quick"
        place = _scale(LEAST_MS, worst)
        drawn = _drawn(place(took.p50), color, place(took.max))
        bars.append(_bar(row, f"asks {said.asked}", drawn, duration(took.p50)))
    return f"<figure>{''.join(bars)}</figure>"


def _prices(rows: Sequence[tuple[Row, Told]]) -> str:
    """The chart of what a call costs at the guard."""
    worst = max((row.cost.guard_wall_us for row, _ in rows if row.cost), default=1.0)
    bars = []
    for row, _ in rows:
        if row.cost is None:
            continue
        place, cost = _scale(LEAST_US, worst), row.cost
        asked = "asks the provider nothing"
        if cost.provider_calls:
            asked = f"asks the provider {cost.provider_calls:g} times a call"
        drawn = _drawn(place(cost.guard_wall_us), "cost", None)
        bars.append(_bar(row, asked, drawn, f"{cost.guard_wall_us:,.0f} µs"))
    return f"<figure>{''.join(bars)}</figure>"


def _bar(row: Row, below: str, drawn: str, value: str) -> str:
    partner = f" + {escape(row.partner)}" if row.partner else ""
    return (
        f'<div class="bar"><div class="name">{escape(row.policy)}{partner}'
        f"<small>{escape(below)}</small></div>{drawn}"
        f'<div class="value">{escape(value)}</div></div>'
    )


def _drawn(share: float, color: str, mark: float | None) -> str:
    """A bar as long as the share, and perhaps a tick further on."""
    tick = ""
    if mark is not None:
        tick = f'<rect class="mark" x="{mark * 99:.1f}%" y="1" width="3" height="12" rx="1.5"/>'
    return (
        '<svg aria-hidden="true"><rect class="track" width="100%" height="8" y="3" rx="4"/>'
        f'<rect class="{color}" width="{max(share * 100, 1):.1f}%" height="8" y="3" rx="4"/>'
        f"{tick}</svg>"
    )


def _scale(least: float, most: float) -> Callable[[float], float]:
    """From nothing to the worst, each factor of ten as far as the next."""
    width = math.log10(max(most, 10 * least) / least)
    return lambda value: math.log10(max(value, least) / least) / width


def _card(row: Row, said: Told) -> str:
    summary = POLICIES[row.policy].summary
    facts = [
        ("Out of use after the sign-out: middle / 99 of 100 / slowest", said.sign_out, ""),
        ("A thief with the access token gets", said.access, _mood(said.access)),
        ("A thief with the refresh token gets", said.refresh, _mood(said.refresh)),
        ("A changed role", said.roles, ""),
        ("When the feed is silent, the API", said.feed_silent, ""),
        ("When Redis is gone, the API", said.store_down, ""),
        ("When the provider hangs, the API", said.provider_down, ""),
    ]
    if row.cost is not None:
        facts.append(("Remembered for each sign-in", f"{row.cost.state_bytes:,} bytes", ""))
    listed = "".join(
        f'<div><dt>{escape(name)}</dt><dd class="{mood}">{escape(value)}</dd></div>'
        for name, value, mood in facts
        if value != GONE
    )
    partner = f" + {escape(row.partner)}" if row.partner else ""
    return (
        f"<article><h3>{escape(row.policy)}{partner}</h3><p>{escape(summary)}</p>"
        f"<dl>{listed}</dl></article>"
    )


def _mood(said: str) -> str:
    return "good" if said.startswith("nothing") else "bad"
