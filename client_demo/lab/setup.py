"""What the lab needs at the provider, as lines for `idp batch`."""

import json
import shlex
from typing import Any

from client_demo.lab.exhibits import EXHIBITS, SCOPE, Exhibit

SCOPE_WORDS = "Try things out in the lab"


def commands(site: str, api: str) -> list[str]:
    """Ten APIs and ten apps, and one client that is all of the APIs."""
    found = [line for exhibit in EXHIBITS for line in _of(exhibit, site, api)]
    serves = [part for e in EXHIBITS for door in e.addresses(api) for part in ("--serves", door)]
    return [*found, shlex.join(["client", "add", "Lab API", *serves, "--json"])]


def clients(answers: str) -> dict[str, Any]:
    """What `idp batch` answered: the client of each exhibit, and that of the APIs."""
    said = [json.loads(line)["said"] for line in answers.splitlines()]
    added = {row["name"]: row for row in said if isinstance(row, dict) and "client_id" in row}
    return {
        "API": added["Lab API"],
        "clients": {e.name: added[_name(e)]["client_id"] for e in EXHIBITS},
    }


def _name(exhibit: Exhibit) -> str:
    return f"Lab: {exhibit.title}"


def _of(exhibit: Exhibit, site: str, api: str) -> list[str]:
    lines = []
    for address in exhibit.addresses(api):
        words = ["resource", "add", address, "--name", f"Lab API: {exhibit.title}"]
        words += ["--scope", f"{SCOPE}={SCOPE_WORDS}", "--lifetime", str(exhibit.lifetime)]
        words += [part for policy in exhibit.access for part in ("--policy", policy)]
        lines.append(shlex.join([*words, "--json"]))
    home = f"{site}/lab/{exhibit.name}"
    words = ["client", "add", _name(exhibit), "--auth-method", "none", "--trusted"]
    words += ["--redirect-uri", f"{home}/callback", "--post-logout-redirect-uri", home]
    words += ["--post-logout-redirect-uri", f"{site}/lab"]
    words += ["--backchannel-logout-uri", f"{home}/backchannel-logout"]
    words += [part for policy in exhibit.refresh for part in ("--policy", policy)]
    words += ["--dpop-bound"] if exhibit.bound else []
    lines.append(shlex.join([*words, "--json"]))
    return lines
