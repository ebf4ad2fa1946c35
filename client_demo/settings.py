"""What one of the demo's processes must know, from its environment."""

import os
from dataclasses import dataclass


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
    )
