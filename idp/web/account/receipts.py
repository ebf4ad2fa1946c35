"""The receipts of what was ended; nobody sees another's."""

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.receipts import Receipt
from idp.protocol.receipts import answer
from idp.web.account.access import Here, personal
from idp.web.account.frame import show
from idp.web.receipts import as_file, shown
from idp.web.wire import provider, serve

blueprint = Blueprint("receipts", __name__)


@blueprint.get("/account/receipts")
@personal("receipts")
def receipts(here: Here) -> AnyResponse:
    """Every sign-out, the newest first."""
    rows = provider().sign_outs.receipts.of_account(here.account.id)
    return show(here, "receipts.html", rows=rows)


@blueprint.get("/receipts/<receipt_id>")
def receipt(receipt_id: str) -> AnyResponse:
    """One sign-out, line by line, as it stands now: a page, or for a token JSON or a proof."""
    ranges = request.accept_mimetypes
    if "Authorization" in request.headers or (ranges and not ranges.accept_html):
        return serve(answer, receipt_id)
    return _page(receipt_id)


@blueprint.get("/receipts/<receipt_id>/proof")
@personal("receipts")
def signed(here: Here, receipt_id: str) -> AnyResponse:
    """The receipt as it stands now, signed by us, to keep or to show."""
    return as_file(_own(here, receipt_id))


@personal("receipts")
def _page(here: Here, receipt_id: str) -> AnyResponse:
    row = _own(here, receipt_id)
    return show(here, "receipt.html", receipt=row, told=shown(row))


def _own(here: Here, receipt_id: str) -> Receipt:
    row = provider().sign_outs.receipts.find(receipt_id)
    if row is None or row.account_id != here.account.id:
        abort(404)
    return row
