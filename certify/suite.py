"""What the suite is told: one file of configuration for each plan, ready to be pasted.

The browser's part is in it: which page has which fields and buttons, by their stable ids.
"""

import json
from collections.abc import Mapping
from typing import Any

from certify.clients import FAMILIES
from certify.people import PASSWORD
from certify.setup import Certificates, Setup

Json = dict[str, Any]


def write(setup: Setup, certificates: Certificates, told: Mapping[str, Json]) -> list[str]:
    """Write the files; their names."""
    folder = setup.folder / "suite"
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for family, name, members in ((f, *item) for f in FAMILIES for item in f.files().items()):
        found = configuration(setup, certificates) | family.told(name, setup)
        found |= {member: told[kind] for member, kind in members.items()}
        path = folder / f"{name}.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(found, indent=2) + "\n")
        names.append(path.name)
    return names


def configuration(setup: Setup, certificates: Certificates) -> Json:
    """What every plan is told."""
    one, two = certificates.clients
    authority = certificates.ours.bundle.read_text()
    return {
        "alias": setup.alias,
        "description": "idp, started by make certify-op",
        "server": {
            "discoveryUrl": f"{setup.issuer}/.well-known/openid-configuration",
            "login_hint": "foo",
        },
        "client": {"client_name": "suite"},
        "client2": {"client_name": "suite, second"},
        "mtls": {
            "cert": one.certificate.read_text(),
            "key": one.key.read_text(),
            "ca": authority,
        },
        "mtls2": {
            "cert": two.certificate.read_text(),
            "key": two.key.read_text(),
            "ca": authority,
        },
        "resource": {"resourceUrl": f"{setup.issuer}/resource"},
        "browser": browser(setup),
    }


def browser(setup: Setup) -> list[Json]:
    """What the suite's own browser does on our pages."""
    sign_in = [
        ["text", "name", "username", "foo"],
        ["text", "name", "password", PASSWORD],
        ["click", "id", "login-submit"],
    ]
    authorize = [
        _task("Sign in", f"{setup.issuer}/sign-in*", sign_in),
        _task("Allow", f"{setup.issuer}/consent*", [["click", "id", "consent-allow"]]),
        _task(
            "Back at the client",
            f"{setup.base}/callback*",
            [["wait", "id", "submission_complete", 10]],
        ),
    ]
    leave = [
        _task("Confirm", f"{setup.issuer}/end_session*", [["click", "id", "logout-confirm"]]),
    ]
    return [
        {"match": f"{setup.issuer}/authorize*", "tasks": authorize},
        {"match": f"{setup.issuer}/end_session*", "tasks": leave},
    ]


def _task(name: str, match: str, commands: list[list[Any]]) -> Json:
    return {"task": name, "match": match, "optional": True, "commands": commands}
