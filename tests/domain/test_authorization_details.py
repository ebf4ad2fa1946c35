"""Types of authorization details: described by an operator, checked field by field."""

from collections.abc import Iterator
from typing import Any

import pytest

from idp.domain.authorization_details import Unfit, described
from idp.store import db
from tests.support.payments import PAYMENT, PAYMENTS, TYPES
from tests.support.spec import spec
from tests.support.world import World, make_world

AMOUNT = {"currency": "EUR", "amount": 1}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("details"))
    made.api()
    made.api(PAYMENTS)
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@spec("RAR-01", "RFC 9396 section 2")
@pytest.mark.parametrize(
    "detail",
    [
        PAYMENT,
        {"type": "payment_initiation", "creditorName": "é", "instructedAmount": AMOUNT},
        PAYMENT | {"locations": [PAYMENTS]},
        PAYMENT | {"actions": [], "parts": [], "urgent": False},
    ],
)
def test_details_of_their_type_are_fine(detail: dict[str, Any]) -> None:
    described("payment_initiation", TYPES["payment_initiation"], PAYMENTS).check(detail)


@spec("RAR-01", "RFC 9396 section 5")
@pytest.mark.parametrize(
    "wrong",
    [
        {"more": 1},
        {"locations": ["https://other.test"]},
        {"locations": []},
        {"locations": PAYMENTS},
        {"actions": "initiate"},
        {"actions": ["initiate", "steal"]},
        {"actions": ["initiate"] * 51},
        {"creditorName": None},
        {"creditorName": 1},
        {"creditorName": "x" * 1001},
        {"creditorName": "two\nlines"},
        {"creditorName": "\u202eesrever"},
        {"instructedAmount": 5},
        {"instructedAmount": {"currency": "EUR"}},
        {"instructedAmount": AMOUNT | {"amount": "1"}},
        {"instructedAmount": AMOUNT | {"amount": True}},
        {"instructedAmount": AMOUNT | {"amount": 2**60}},
        {"instructedAmount": AMOUNT | {"amount": float("nan")}},
        {"instructedAmount": AMOUNT | {"cents": 1}},
        {"parts": {}},
        {"parts": ["note"]},
        {"parts": [{"note": 1}]},
        {"urgent": "yes"},
    ],
)
def test_anything_else_does_not_fit(wrong: dict[str, Any]) -> None:
    kind = described("payment_initiation", TYPES["payment_initiation"], PAYMENTS)

    with pytest.raises(Unfit):
        kind.check(PAYMENT | wrong)


@spec("RAR-01", "RFC 9396 section 5")
@pytest.mark.parametrize("missing", ["creditorName", "instructedAmount"])
def test_what_is_required_must_be_there(missing: str) -> None:
    kind = described("payment_initiation", TYPES["payment_initiation"], PAYMENTS)

    with pytest.raises(Unfit):
        kind.check({name: value for name, value in PAYMENT.items() if name != missing})


@spec("RAR-01", "RFC 9396 section 12")
def test_everything_in_them_is_shown_in_the_operators_words() -> None:
    kind = described("payment_initiation", TYPES["payment_initiation"], PAYMENTS)

    assert kind.shown(PAYMENT) == [
        ("What for", "initiate, status"),
        ("To whom", "Merchant A"),
        ("How much: currency", "EUR"),
        ("How much: amount", "123.5"),
        ("Part 1: note", "first"),
        ("Part 2: note", "second"),
        ("At once", "✓"),
    ]


def kind_of(**field: Any) -> dict[str, Any]:
    """A type with one field."""
    return {"words": "Do it", "fields": {"field": {"words": "it"} | field}}


@spec("RFC 9396 section 2")
@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("", kind_of(kind="text")),
        ("with space", kind_of(kind="text")),
        ("a", "text"),
        ("a", {"fields": {}}),
        ("a", {"words": ""}),
        ("a", {"words": "\n"}),
        ("a", {"words": "Do it", "more": 1}),
        ("a", {"words": "Do it", "fields": []}),
        ("a", {"words": "Do it", "fields": {"f": "text"}}),
        ("a", {"words": "Do it", "fields": {"type": {"kind": "text", "words": "x"}}}),
        ("a", {"words": "Do it", "fields": {"locations": {"kind": "texts", "words": "x"}}}),
        ("a", kind_of(kind="thing")),
        ("a", kind_of(kind="text", words=1)),
        ("a", kind_of(kind="text", required="yes")),
        ("a", kind_of(kind="text", among="a")),
        ("a", kind_of(kind="number", among=["1"])),
        ("a", kind_of(kind="text", fields={})),
        ("a", kind_of(kind="object")),
        ("a", kind_of(kind="text", more=1)),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(name: str, given: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        described(name, given, PAYMENTS)


@spec("RFC 9396 section 2")
def test_a_description_is_not_deeper_than_a_person_can_read() -> None:
    field: dict[str, Any] = {"kind": "text", "words": "x"}
    for _ in range(4):
        field = {"kind": "object", "words": "x", "fields": {"f": field}}

    with pytest.raises(ValueError, match="too deep"):
        described("a", {"words": "Do it", "fields": {"f": field}}, PAYMENTS)


@spec("RFC 9396 section 10")
def test_a_type_belongs_to_one_api(house: World) -> None:
    with house.app.app_context():
        resources = house.op.resources
        resources.describe(PAYMENTS, TYPES)
        with pytest.raises(ValueError, match="another API"):
            resources.describe("https://api.test", {"payment_initiation": {"words": "Pay"}})
        with pytest.raises(ValueError, match="no API"):
            resources.describe("https://nowhere.test", TYPES)
        resources.describe(PAYMENTS, TYPES)

        assert {kind.api for kind in resources.detail_types().values()} == {PAYMENTS}
        db.session.rollback()
