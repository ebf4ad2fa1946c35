"""What one of the demo's processes must know, from its environment."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Site:
    """One relying party."""

    name: str
    url: str
    issuer: str
    client_id: str
    client_secret: str
    api: str
    scope: str
    other_name: str
    other_url: str
    lab: Mapping[str, str] = field(default_factory=dict)
    """The client of each exhibit, in the app that shows the lab."""
    operator: str | None = None
    operator_secret: str = ""


def site() -> Site:
    """The relying party this process is."""
    env = os.environ
    return Site(
        name=env["DEMO_NAME"],
        url=env["DEMO_URL"],
        issuer=env["DEMO_ISSUER"],
        client_id=env["DEMO_CLIENT_ID"],
        client_secret=env["DEMO_CLIENT_SECRET"],
        api=env["DEMO_API"],
        scope=env["DEMO_SCOPE"],
        other_name=env["DEMO_OTHER_NAME"],
        other_url=env["DEMO_OTHER_URL"],
        lab=json.loads(env.get("DEMO_LAB", "{}")),
        operator=env.get("DEMO_OPERATOR"),
        operator_secret=env.get("DEMO_OPERATOR_SECRET", ""),
    )
