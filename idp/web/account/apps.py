"""Apps with access, and taking it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.grants import Grant
from idp.domain.sign_out import Because
from idp.protocol.third_party_login import opening
from idp.web.account.access import Here, personal
from idp.web.account.frame import show
from idp.web.strict import settle
from idp.web.wire import now, provider
from idp.web.wishes import Wish, wishes
from idp.web.words import client_host, client_name

blueprint = Blueprint("apps", __name__)


@dataclass(frozen=True, slots=True)
class Row:
    """An app, what it may do, and since when."""

    client_id: str
    name: str
    host: str
    since: datetime
    used: datetime | None
    offline: bool
    wishes: list[Wish]
    opening: str | None


@blueprint.get("/account/apps")
@personal("apps")
def apps(here: Here) -> AnyResponse:
    """What each app may do, and since when."""
    op = provider()
    used: dict[str, datetime] = {}
    for line in op.grants.lines_of_account(here.account.id):
        used.setdefault(line.client_id, line.last_used_at)
    of_apis = op.resources.scopes()
    grants = op.grants.of_account(here.account.id)
    return show(here, "apps.html", rows=[_row(grant, used, of_apis) for grant in grants])


@blueprint.post("/account/apps/remove")
@personal("apps")
def remove_app(here: Here) -> AnyResponse:
    """Take a yes back: the app is signed out everywhere, and must ask again (OID-11)."""
    op, account = provider(), here.account
    client_id = request.form.get("client", "")
    if op.grants.forget(account.id, client_id, now()):
        op.events.record("ConsentWithdrawn", now(), account_id=account.id, client_id=client_id)
    why = Because("consent_withdrawn", "person")
    receipt = op.sign_outs.app_everywhere(account.id, client_id, why, now())
    settle(receipt)
    return redirect(f"/receipts/{receipt.id}" if receipt else "/account/apps", 303)


def _row(grant: Grant, used: Mapping[str, datetime], of_apis: Mapping[str, str]) -> Row:
    """The newest use comes first in the list, so the first one seen is the last use."""
    client = provider().clients.find(grant.client_id)
    return Row(
        client_id=grant.client_id,
        name=client_name(client) if client is not None else grant.client_id,
        host=client_host(client) if client is not None else "",
        since=grant.created_at,
        used=used.get(grant.client_id),
        offline="offline_access" in grant.scopes,
        wishes=wishes(grant.scopes, grant.claims, of_apis, {}),
        opening=opening(client, provider()) if client is not None else None,
    )
