"""What the pages of one sign-in share: the way on, and what an answer is about."""

import hashlib
from urllib.parse import urlencode

from flask import redirect
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.accounts import Account
from idp.web.authorize import Transaction
from idp.web.browser import csrf_token


def go_on(transaction: Transaction) -> AnyResponse:
    """To the next step, whatever that is now."""
    return redirect(address("/authorize/continue", transaction), 303)


def address(path: str, transaction: Transaction) -> str:
    """A page of this transaction. The client is named too, for when the transaction is over."""
    client_id = transaction.draft.client.client_id
    return f"{path}?{urlencode({'tx': transaction.handle, 'client_id': client_id})}"


def mark(transaction: Transaction, account: Account) -> str:
    """What an answer is about: this browser, this transaction, this person (CSR-02)."""
    said = "\0".join((csrf_token(), transaction.handle, account.id))
    return hashlib.sha256(said.encode()).hexdigest()
