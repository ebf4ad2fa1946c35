"""Authorization details at an API (RFC 9396 section 9): required, and read."""

from typing import Any

import pytest

from idp.guard import Guard
from tests.support.issuer import SCOPE, Issuer, call, refusal
from tests.support.payments import PAYMENT
from tests.support.spec import spec

TYPE = "payment_initiation"
INFORMATION = {"type": "account_information"}


@spec("RAR-01", "RSG-10", "RFC 9396 section 9")
@pytest.mark.parametrize("kind", ["signed", "handle"])
def test_an_api_asks_for_details_and_reads_them(issuer: Issuer, guard: Guard, kind: str) -> None:
    made = issuer.token if kind == "signed" else issuer.handle
    token = made(authorization_details=[PAYMENT, INFORMATION])

    access = call(guard, token, details=(TYPE,))

    assert access.details(TYPE) == [PAYMENT]
    assert access.details("another") == []


@spec("RAR-01", "RSG-10")
@pytest.mark.parametrize(
    "details", [None, [], [INFORMATION], {"type": TYPE}, [TYPE], TYPE, [{"type": [TYPE]}], [{}]]
)
def test_a_token_without_them_is_not_enough(issuer: Issuer, guard: Guard, details: Any) -> None:
    token = issuer.token(authorization_details=details)

    refused = refusal(guard, token, details=(TYPE,))

    assert (refused.status, refused.error) == (403, "insufficient_scope")


@spec("RSG-10")
def test_details_alone_are_something_to_ask_for_and_a_mistake_is_seen_at_start(
    guard: Guard,
) -> None:
    assert guard.need(details=(TYPE,)).details == {TYPE}
    with pytest.raises(TypeError):
        guard.need(SCOPE, details=TYPE)
    with pytest.raises(ValueError, match="characters"):
        guard.need(SCOPE, details=("two words",))
