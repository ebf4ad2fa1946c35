"""Apps that ask without a browser: a person sees what waits for them, and says yes or no (OpenID
CIBA Core section 5).
"""

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.approvals import Approval
from idp.web.account.access import Here, personal
from idp.web.account.frame import show
from idp.web.asking import carry_out, mark, question
from idp.web.wire import commit, now, provider

blueprint = Blueprint("requests", __name__)

PAGE = "/account/requests"


@blueprint.get("/account/requests")
@personal("requests")
def requests(here: Here) -> AnyResponse:
    """What waits for an answer, the oldest first."""
    return _page(here)


@blueprint.post("/account/requests")
@personal("requests")
def decide(here: Here) -> AnyResponse:
    """Yes or no. It counts for this browser, this request and this person only (CSR-02)."""
    row = _own(here, request.form.get("request", ""))
    asked = question(row, here)
    said = request.form.get("answer")
    if asked is None or said not in ("allow", "deny"):
        return _page(here, status=400)
    if request.form.get("about") != mark(row, here):
        return _page(here)
    if said == "allow" and asked.outdated:
        return redirect("/sign-in?for=requests", 303)
    done = f"request-{said}" if carry_out(row, here, said) else "request-over"
    commit()
    return redirect(f"{PAGE}?done={done}", 303)


def _own(here: Here, approval_id: str) -> Approval:
    """A request that was put to this person; any other does not exist for them."""
    row = provider().codes.approvals.get(approval_id)
    if row is None or row.account_id != here.account.id:
        abort(404)
    return row


def _page(here: Here, status: int = 200) -> AnyResponse:
    rows = provider().codes.approvals.put_to(here.account.id, now())
    asked = [shown for row in rows if (shown := question(row, here)) is not None]
    return show(here, "requests.html", status, questions=asked)
