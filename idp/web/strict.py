"""A sign-out is done, and in strict mode every guard that listens has heard of it."""

from idp.domain import strict
from idp.domain.sign_out import Receipt
from idp.web.wire import commit, now, provider


def settle(*receipts: Receipt | None) -> None:
    """Commit; then wait for the guards, and write down on the receipts what they said."""
    commit()
    strict.settle(provider(), receipts, now())
    commit()
