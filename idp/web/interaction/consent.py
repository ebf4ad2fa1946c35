"""The consent page: what an app may do, in plain words, and the person's yes or no."""

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.accounts import Account
from idp.protocol.claims_request import names
from idp.web.account.access import signed_in
from idp.web.authorize import Transaction, find_transaction, remember
from idp.web.interaction.passage import address, go_on, mark
from idp.web.pages import render
from idp.web.stale import stale_page
from idp.web.wire import commit, now, provider
from idp.web.wishes import wishes
from idp.web.words import home, lands_here

blueprint = Blueprint("consent", __name__)


@blueprint.get("/consent")
def consent() -> AnyResponse:
    """What the app may do, in plain words."""
    transaction = find_transaction(request.args.get("tx", ""))
    here = signed_in()
    if transaction is None:
        return stale_page()
    if here is None:
        return redirect(address("/sign-in", transaction), 303)
    return _consent_page(transaction, here.account)


@blueprint.post("/consent")
def decide() -> AnyResponse:
    """Yes or no. The answer counts for this transaction, this person, and what they were shown
    (CSR-02); anything else is no answer.
    """
    op = provider()
    transaction = find_transaction(request.form.get("tx", ""))
    here = signed_in()
    if transaction is None:
        return stale_page()
    if here is None:
        return redirect(address("/sign-in", transaction), 303)
    draft, account = transaction.draft, here.account
    answer = request.form.get("answer")
    if request.form.get("about") != mark(transaction, account):
        return _consent_page(transaction, account, changed=True)
    if answer == "deny":
        remember(transaction, denied=True)
    elif answer == "allow":
        op.grants.allow(
            account.id,
            draft.client.client_id,
            scopes=draft.scopes,
            resources=draft.resources,
            claims=_claims(transaction),
            now=now(),
        )
        op.events.record(
            "ConsentGiven",
            now(),
            account_id=account.id,
            client_id=draft.client.client_id,
            scopes=list(draft.scopes),
        )
        remember(transaction, consented=account.id)
    else:
        return _consent_page(transaction, account, status=400)
    commit()
    return go_on(transaction)


def _consent_page(
    transaction: Transaction, account: Account, *, changed: bool = False, status: int = 200
) -> Response:
    op, draft = provider(), transaction.draft
    return render(
        "interaction/consent.html",
        status,
        tx=transaction.handle,
        client=draft.client,
        host=home(draft.client, draft.redirect_uri),
        lands_here=lands_here(draft.client, draft.redirect_uri),
        account=account,
        wishes=wishes(draft.scopes, _claims(transaction), op.resources.scopes(), account.claims),
        details=_details(transaction),
        about=mark(transaction, account),
        changed=changed,
    )


def _claims(transaction: Transaction) -> list[str]:
    """The single claims that are asked for beside the scopes."""
    return names(transaction.draft.claims)


def _details(transaction: Transaction) -> list[tuple[str, list[tuple[str, str]]]]:
    """The authorization details that are asked for, whole, in the operator's words."""
    asked = transaction.draft.authorization_details
    types = provider().resources.detail_types() if asked else {}
    kinds = [(types[item["type"]], item) for item in asked if item["type"] in types]
    return [(kind.words, kind.shown(item)) for kind, item in kinds]
