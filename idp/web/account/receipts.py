"""The receipts of what was ended; nobody sees another's."""

from flask import Blueprint, abort
from werkzeug.wrappers import Response as AnyResponse

from idp.web.account.access import Here, personal
from idp.web.account.frame import show
from idp.web.receipts import is_waiting, subjects
from idp.web.wire import now, provider

blueprint = Blueprint("receipts", __name__)


@blueprint.get("/account/receipts")
@personal("receipts")
def receipts(here: Here) -> AnyResponse:
    """Every sign-out, the newest first."""
    rows = provider().sign_outs.receipts.of_account(here.account.id)
    return show(here, "receipts.html", rows=rows)


@blueprint.get("/receipts/<receipt_id>")
@personal("receipts")
def receipt(here: Here, receipt_id: str) -> AnyResponse:
    """One sign-out, line by line, as it stands now."""
    keeper = provider().sign_outs.receipts
    row = keeper.find(receipt_id)
    if row is None or row.account_id != here.account.id:
        abort(404)
    lines = keeper.lines(receipt_id)
    return show(
        here,
        "receipt.html",
        receipt=row,
        subjects=subjects(lines, now()),
        waiting=is_waiting(lines),
    )
