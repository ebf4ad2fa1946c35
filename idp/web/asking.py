"""What pages have in common on which a person answers what an app asked for elsewhere."""

import hashlib
from dataclasses import dataclass

from flask import request

from idp.domain.approvals import Approval
from idp.domain.clients import ClientView
from idp.domain.throttle import network
from idp.protocol.approval import answer
from idp.web.account.access import Here
from idp.web.browser import csrf_token
from idp.web.wire import now, provider
from idp.web.wishes import Wish, wishes
from idp.web.words import client_host

SAME, OTHER = "same", "other"


@dataclass(frozen=True, slots=True)
class Question:
    """A request as a person is shown it: which app, from where, when, and what it would get."""

    row: Approval
    client: ClientView
    host: str
    wishes: list[Wish]
    about: str
    outdated: bool
    network: str | None


def question(row: Approval, here: Here) -> Question | None:
    """The request in words; None when the app that asked is gone."""
    op = provider()
    client = op.clients.find(row.client_id)
    if client is None or not client.enabled:
        return None
    asked = wishes(row.asked["scopes"], (), op.resources.scopes(), here.account.claims)
    return Question(
        row,
        client,
        client_host(client),
        asked,
        mark(row, here),
        answer.outdated(op, row, client, here.session, now()),
        _network(str(row.asked.get("address", ""))),
    )


def mark(row: Approval, here: Here) -> str:
    """What an answer is about: this browser, this request, this person (CSR-02)."""
    said = "\0".join((csrf_token(), row.id, here.account.id))
    return hashlib.sha256(said.encode()).hexdigest()


def carry_out(row: Approval, here: Here, said: str) -> bool:
    """Do what the person answered. False when there was nothing left to answer."""
    act = answer.allow if said == "allow" else answer.deny
    return act(provider(), row, here.session, request.remote_addr or "", now())


def _network(asked_from: str) -> str | None:
    """Whether the app asked from where the person is, as far as addresses can tell (RFC 10027)."""
    here, there = network(request.remote_addr or ""), network(asked_from)
    if "unknown" in (here, there) or ("/" in here) != ("/" in there):
        return None
    return SAME if here == there else OTHER
