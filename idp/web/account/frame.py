"""What all account pages have: the frame, and the sentence about what was just done."""

from flask import Response, request

from idp.web.account.access import Here
from idp.web.language import gettext
from idp.web.pages import render
from idp.web.wire import now, provider


def show(here: Here, template: str, status: int = 200, **context: object) -> Response:
    """A page of the account."""
    return render(
        f"account/{template}",
        status,
        account=here.account,
        current=here.session,
        done=_done().get(request.args.get("done", "")),
        waiting=provider().codes.approvals.number_put_to(here.account.id, now()),
        done_receipt=_own_receipt(here, request.args.get("receipt", "")),
        **context,
    )


def _done() -> dict[str, str]:
    return {
        "profile": gettext("Your profile is saved."),
        "password": gettext("Your password was changed."),
        "passkey-added": gettext("Your new passkey works from now on."),
        "passkey-renamed": gettext("The passkey has its new name."),
        "passkey-removed": gettext("The passkey was removed."),
        "authenticator": gettext("Your authenticator app works from now on."),
        "authenticator-removed": gettext("The authenticator app was removed, and its codes."),
        "request-allow": gettext("You allowed it. The app goes on by itself."),
        "request-deny": gettext("You did not allow it. The app gets nothing."),
        "request-over": gettext("This request was over already."),
        "nothing": gettext("There was nothing left to end."),
    }


def _own_receipt(here: Here, receipt_id: str) -> str | None:
    row = provider().sign_outs.receipts.find(receipt_id) if receipt_id else None
    return row.id if row is not None and row.account_id == here.account.id else None
