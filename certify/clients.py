"""The static clients of a certification run, and what the suite has to know of each.

A family is a module with `kinds()` (clients by name), `files()` (which of them a file for the
suite has, as which member) and `told()` (what that file says besides); one line adds one.
"""

from datetime import datetime
from typing import Any

from certify import ciba, fapi, openid, signals
from certify.setup import Certificates, Setup
from idp.domain import Provider

Json = dict[str, Any]

FAMILIES = (openid, fapi, ciba, signals)
TRUSTED = {signals.RECEIVER}
"""An app of the operator's own hears of everybody."""


def add(op: Provider, setup: Setup, certificates: Certificates, now: datetime) -> dict[str, Json]:
    """Register them all; what the suite is told of each, by its kind."""
    told = {}
    fapi.add_api(op, setup, now)
    for name, kind in ((n, k) for family in FAMILIES for n, k in family.kinds().items()):
        details, private = kind(setup, certificates)
        view, secret = op.clients.add(details, trusted=name in TRUSTED, now=now)
        known: Json = {"client_id": view.client_id, "scope": details.get("scope", "")}
        if secret is not None:
            known["client_secret"] = secret
        told[name] = known | private
    return told
