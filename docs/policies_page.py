"""docs/policies.md: read off the policy files, docs/policies.toml and the last comparison."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from docs.policies_diagram import DRAFT, diagram
from idp.cli.compare.figures import Comparison, Row, comparison_of
from idp.cli.compare.words import Told, duration, heading, tell
from idp.cli.policies import ASKS, ENDS
from idp.policies import POLICIES, Asks, Ends, Policy, TokenFacts
from idp.policies.model import Deny, Forget, Touch

DOCS = Path(__file__).parent
TOKEN = TokenFacts(
    jti="jti",
    sub="sub",
    client_id="client",
    audiences=frozenset({"api"}),
    expires_at=datetime(2030, 1, 1, tzinfo=UTC),
)

CHART = """```mermaid
flowchart TD
  start([Which policy for my API?]) --> copied{Could tokens be copied from the device?}
  copied -- yes --> device_bound[device_bound, beside one of those below]
  copied -- no --> roles
  device_bound --> roles{Do roles change while people work?}
  roles -- yes --> session_state[session_state]
  roles -- no --> leave{Do tokens leave your house?}
  leave -- yes --> opaque[opaque]
  leave -- no --> idle{Must people who stop working be signed out soon?}
  idle -- yes --> sliding[sliding]
  idle -- no --> late{May a token live on for some minutes after sign-out?}
  late -- yes --> short_jwt[short_jwt]
  late -- "milliseconds at most" --> apps{Several apps behind one sign-in?}
  late -- "not for a moment" --> allow_list[allow_list]
  apps -- yes --> sso[sso]
  apps -- no --> jti_denylist[jti_denylist]
  line([And for my app?]) --> several{Does it call several APIs?}
  several -- yes --> per_audience[per_audience] --> secret
  several -- no --> secret{Can it keep a secret, or a key?}
  secret -- no --> rotation[rotation]
  secret -- "a key" --> bound[device_bound]
  secret -- "a secret" --> also[rotation all the same]
```
"""


def policies_page(note: str) -> str:
    """The whole page."""
    found, services = _measured("policies.json"), _measured("policies_services.json")
    told = {row.policy: tell(row) for row in found.rows}
    chosen = tomllib.loads((DOCS / "policies.toml").read_text())
    text = (
        f"{note}# Which policy is for my app?\n\n"
        "A policy says what is asked at each call, and how a sign-out ends a token.\n"
        "An API names those of its access tokens (`idp resource add --policy`), an app those of "
        "its refresh line (`idp client policies`).\n"
        "Several may stand together; the strictest decides.\n"
        "Both may be changed while running: live tokens follow the stricter of old and new.\n\n"
        f"{CHART}\n## All of them, measured\n\n"
        "Run `idp policies compare` for the figures of your own machine and configuration.\n"
        "The times are from the answered sign-out to the first refusal of an API that is called "
        "without a pause; where no call was let through, all of it is the call itself.\n"
        "Calls let through are those sent after the sign-out was answered, in all rounds.\n"
        "The thief has copied the tokens and the secret of the app, and has no key.\n\n"
        f"### On SQLite alone\n\n{_tables(found)}\n"
        f"### On PostgreSQL and Redis\n\n{_tables(services)}"
    )
    for policy in POLICIES.values():
        text += _section(policy, chosen[policy.name], told[policy.name], found)
    return text


def _measured(name: str) -> Comparison:
    return comparison_of(json.loads((DOCS / name).read_text()))


def _tables(found: Comparison) -> str:
    """What was measured, what the thief got, and what happened when something was down."""
    told = [tell(row) for row in found.rows]
    prices = [
        {
            "policy": said.name,
            "sign-out p50 / p99 / max": said.sign_out,
            "calls let through": said.let_through,
            **_figures(row),
        }
        for row, said in zip(found.rows, told, strict=True)
    ]
    words = [
        {
            "policy": said.name,
            "stolen access token": said.access,
            "stolen refresh token": said.refresh,
            "feed silent": said.feed_silent,
            **({"Redis gone": said.store_down} if found.redis else {}),
            "provider hangs": said.provider_down,
        }
        for said in told
    ]
    return f"{heading(found)}\n\n{_table(prices)}\n{_table(words)}"


def _figures(row: Row) -> dict[str, str]:
    cost = row.cost
    if cost is None:
        return {"us a call": "-", "asks provider": "-", "asks Redis": "-", "bytes": "-"}
    return {
        "us a call": f"{cost.guard_wall_us:,.0f}",
        "asks provider": f"{cost.provider_calls:g}",
        "asks Redis": "-" if cost.store_calls is None else f"{cost.store_calls:g}",
        "bytes": f"{cost.state_bytes:,}",
    }


def _table(rows: list[dict[str, str]]) -> str:
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *(list(row.values()) for row in rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _section(policy: Policy, own: dict[str, Any], said: Told, found: Comparison) -> str:
    doc = "\n".join(line.strip() for line in (type(policy).__doc__ or "").strip().splitlines())
    row = next(row for row in found.rows if row.policy == policy.name)
    against = sorted(
        {*policy.excludes, *(p.name for p in POLICIES.values() if policy.name in p.excludes)}
    )
    named_by = (("an app", policy.for_lines), ("an API", policy.for_access))
    whose = [word for word, may in named_by if may]
    beside = f" Measured beside `{row.partner}`." if row.partner else ""
    lines = [
        f"- Named by {' or '.join(whose)}.",
        f"- Asked at each call: {ASKS[policy.asks]}.",
        f"- How soon a sign-out ends its tokens: {ENDS[policy.ends]}.",
        f"- Contradicts: {', '.join(f'`{n}`' for n in against) or 'nothing'}.",
        f"- Settings: {', '.join(f'`{n}`' for n in own['settings']) or 'none of its own'}.",
    ]
    return (
        f"\n## `{policy.name}`\n\n{doc}\n\n**When to choose it.** {own['choose']}\n\n"
        + "\n".join(lines)
        + f"\n\n{diagram(policy)}\n"
        f"**Its price.**{beside} {_price(row)}\n\n"
        f"**When something fails.** {_failure(policy)} Seen: feed silent, {said.feed_silent}; "
        f"provider hangs, {said.provider_down}.\n\n"
        f"**Its clean-up.** {_clean_up(policy)}\n"
    )


def _price(row: Row) -> str:
    cost, ended = row.cost, row.sign_out
    if cost is None or ended is None:
        return "Not measured."
    slow = duration(ended.took.p50)
    return (
        f"A call costs the API {cost.guard_cpu_us:,.0f} us of CPU and {cost.guard_wall_us:,.0f} "
        f"us on the clock, with {cost.provider_calls:g} questions to the provider; a sign-in "
        f"leaves {cost.state_bytes:,} bytes; a sign-out is effective after {slow}, in the middle."
    )


def _failure(policy: Policy) -> str:
    if policy.ends is Ends.PARTNER:
        return "It asks nobody; what can fail is the policy beside it."
    if policy.asks is Asks.NOTHING:
        return "It asks nobody, so that nothing can fail, and nothing can be heard."
    if policy.asks is Asks.FEED:
        return (
            "An API that has heard nothing for `feed.max_silence` asks the provider, and "
            "refuses with 503 when nobody answers."
        )
    if policy.asks is Asks.LIST:
        return "Without Redis the provider is asked; when nobody answers, 503."
    return "When the provider does not answer, the API refuses with 503."


def _clean_up(policy: Policy) -> str:
    """What its tokens leave behind, read off what it does with one."""
    shaped, effects = policy.draft(DRAFT), policy.on_sign_out(TOKEN)
    said = []
    if shaped.tracked:
        said.append("One row for each token, gone when the token expires.")
    if any(isinstance(effect, Deny) for effect in effects):
        said.append("One row for each token that was ended early, gone a day after it expires.")
    if any(isinstance(effect, Forget) for effect in effects):
        said.append("A sign-out strikes the token off the list at once.")
    if any(isinstance(effect, Touch) for effect in policy.on_use(TOKEN)):
        said.append("A use is written into rows that are there, at most once per interval.")
    return " ".join(said) or "It keeps nothing of its own beyond the session and the line."
