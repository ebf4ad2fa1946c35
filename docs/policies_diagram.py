"""The sequence diagram of one policy: sign in, call, what is its own, sign out, call again."""

from collections.abc import Iterator
from datetime import timedelta

from idp.policies import Asks, Draft, Ends, Policy

DRAFT = Draft(lifetime=timedelta(minutes=5), audiences=("api",), jkt="key")


def diagram(policy: Policy) -> str:
    """Who speaks to whom, read off what the policy says of itself; as Mermaid."""
    steps = [*_road(policy)]
    said = "\n".join(steps)
    people = [f"participant {name}" for name in ("App", "API", "Provider") if f"{name}" in said] + [
        f"participant {name} as {words}"
        for name, words in (
            ("Second", "Second API"),
            ("Other", "Another app"),
            ("Operator", "Operator"),
            ("Thief", "Thief"),
        )
        if name in said
    ]
    lines = "".join(f"  {line}\n" for line in [*people, *steps])
    return f"```mermaid\nsequenceDiagram\n{lines}```\n"


def _road(policy: Policy) -> Iterator[str]:
    bound = " with a proof of the key" if policy.binds else ""
    yield f"App->>Provider: code{bound}"
    yield f"Provider-->>App: {_given(policy)}"
    yield from _call(policy, bound)
    yield from _own(policy)
    if not policy.rotates:
        yield from _signed_out(policy)
        yield from _last_call(policy, bound)


def _given(policy: Policy) -> str:
    token = "a handle" if policy.draft(DRAFT).opaque else "a signed token"
    if policy.alone:
        token += " for the API only"
    return token + (", and refresh token 1" if policy.rotates else "")


def _call(policy: Policy, bound: str) -> Iterator[str]:
    yield f"App->>API: call{bound}"
    yield from _asked(policy.asks, "good")
    if policy.slides:
        yield "Note over Provider: the idle end moves, the absolute end stays"
    yield "API-->>App: 200"


def _own(policy: Policy) -> Iterator[str]:
    """What this policy does and no other."""
    if policy.rotates:
        yield "App->>Provider: refresh token 1"
        yield "Provider-->>App: a new access token, and refresh token 2"
        yield "Thief->>Provider: refresh token 1, copied"
        yield "Provider-->>Thief: 400, and the whole line is over"
        yield "App->>Provider: refresh token 2"
        yield "Provider-->>App: 400, sign in again"
    if policy.binds:
        yield "Thief->>API: call with the copied token"
        yield "API-->>Thief: 401, no proof of the key"
    if policy.alone:
        yield "App->>Provider: refresh, for the second API"
        yield "Provider-->>App: a signed token for the second API only"
        yield "API->>Second: call with the token it was given"
        yield "Second-->>API: 401, meant for another"
    if policy.roles:
        yield "Operator->>Provider: from now on an editor"
        yield "Provider-)API: feed: what it knew of this person is old"
        yield "App->>API: the same token, to change something"
        yield "API->>Provider: introspect"
        yield "Provider-->>API: good, an editor"
        yield "API-->>App: 200"


def _asked(asks: Asks, answer: str) -> Iterator[str]:
    if asks is Asks.PROVIDER:
        yield "API->>Provider: introspect"
        yield f"Provider-->>API: {answer}"
    elif asks is Asks.LIST:
        yield "API->>Provider: on the list? (or in Redis)"
        yield f"Provider-->>API: {answer}"
    elif asks is Asks.FEED:
        yield f"Note over API: its copy of the feed says: {answer}"
    else:
        yield "Note over API: the signature alone decides"


def _signed_out(policy: Policy) -> Iterator[str]:
    yield "App->>Provider: sign out"
    yield "Provider-->>App: signed out"
    if policy.ends is Ends.FEED:
        yield "Provider-)API: feed: it has ended"
    if policy.name == "sso":
        yield "Provider-)Other: logout token: this session is over"


def _last_call(policy: Policy, bound: str) -> Iterator[str]:
    yield f"App->>API: call{bound}"
    yield from _asked(policy.asks, "over")
    if policy.ends is Ends.AT_EXPIRY:
        yield "API-->>App: 200, until it expires"
    elif policy.ends is Ends.PARTNER:
        yield "API-->>App: as the policy beside it says"
    else:
        yield "API-->>App: 401"
