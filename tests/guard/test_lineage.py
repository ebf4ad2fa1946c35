"""Tokens that were exchanged (RFC 8693), at the guard: what ends what they come from ends them."""

import pytest

from idp.guard import Guard
from tests.support.issuer import Issuer, call, refusal, wait_until
from tests.support.spec import spec

FIRST, SECOND = {"client_id": "app", "jti": "j-app"}, {"client_id": "notes"}


@spec("EXC-03", "P4")
@pytest.mark.parametrize(
    ("kind", "subject"),
    [("jti", "j-app"), ("client", "app"), ("client", "notes"), ("line", "l1"), ("sid", "s1")],
)
def test_it_ends_with_whatever_it_descends_from(
    issuer: Issuer, guard: Guard, kind: str, subject: str
) -> None:
    exchanged = issuer.token(lineage=[FIRST, SECOND], client_id="archive")
    assert call(guard, exchanged).claims["lineage"] == [FIRST, SECOND]

    issuer.end(kind, subject)
    wait_until(lambda: guard.health()["seq"] == 1)

    assert refusal(guard, exchanged).error == "invalid_token"


@spec("EXC-03")
def test_a_handle_tells_of_its_lineage_when_it_is_asked_about(issuer: Issuer, guard: Guard) -> None:
    handle = issuer.handle(lineage=[FIRST])
    call(guard, handle)

    issuer.end("client", "app")
    wait_until(lambda: guard.health()["seq"] == 1)

    assert refusal(guard, handle).error == "invalid_token"


@spec("P5")
@pytest.mark.parametrize(
    "lineage",
    ["app", {"client_id": "app"}, ["app"], [{}], [{"client_id": 1}], [{**FIRST, "jti": 0}], [[]]],
)
def test_a_lineage_that_cannot_be_read_is_refused(
    issuer: Issuer, guard: Guard, lineage: object
) -> None:
    assert refusal(guard, issuer.token(lineage=lineage)).error == "invalid_token"
