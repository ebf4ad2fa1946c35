"""What every process of a run must know: who is where, and which policies are in play."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.faults.checks import Promises
from tests.faults.history import SECOND

MAX_SILENCE = 3
LIFETIME, SHORT = 120, 4
GRACE = 2
CALLBACK = "https://rp.faults.test/callback"

APIS: dict[str, tuple[str, ...]] = {
    "denylist": ("jti_denylist",),
    "state": ("session_state",),
    "listed": ("allow_list",),
    "opaque": ("opaque",),
    "short": ("short_jwt",),
    "sso": ("sso",),
}

PROMISES = Promises(
    outlives={
        "denylist": MAX_SILENCE * SECOND,
        "state": MAX_SILENCE * SECOND,
        "listed": 0,
        "opaque": 0,
        "short": SHORT * SECOND,
        "sso": MAX_SILENCE * SECOND,
    },
    lives=dict.fromkeys(APIS, LIFETIME * SECOND) | {"short": SHORT * SECOND},
    # The list in Redis is a copy: who cannot write there cannot strike a token that others read.
    outlives_with={"listed": MAX_SILENCE * SECOND},
    hindered_by=frozenset({"pause_redis", "restart_redis"}),
)
STRICT = replace(PROMISES, strict=frozenset({"denylist", "state", "sso"}))


def audience(api: str) -> str:
    """The identifier of an API."""
    return f"https://{api}.faults.test"


@dataclass(frozen=True, slots=True)
class App:
    """A client: its policies are those of its refresh line."""

    name: str
    client_id: str
    secret: str | None
    bound: bool
    grace: int


@dataclass(slots=True)
class Plan:
    """Handed to each process as a file."""

    folder: str
    environ: dict[str, str]
    issuer: str
    providers: list[int]
    nodes: list[int]
    api: tuple[str, str] = ("", "")
    apps: list[App] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    actors: int = 4
    grace: int = GRACE
    redis_url: str | None = None
    strict: bool = False

    @property
    def promises(self) -> Promises:
        """What holds of a run with this plan."""
        return STRICT if self.strict else PROMISES

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> "Plan":
        said: dict[str, Any] = json.loads(path.read_text())
        said["apps"] = [App(**app) for app in said["apps"]]
        said["api"] = tuple(said["api"])
        return cls(**said)
