"""The people of a certification run: one has every standard claim."""

from datetime import datetime
from typing import Any

from idp.domain import Provider

PASSWORD = "four words that nobody guesses"  # noqa: S105 - of people who do not exist
PEOPLE: dict[str, dict[str, Any]] = {
    "foo": {
        "name": "Jane Middle Doe",
        "given_name": "Jane",
        "family_name": "Doe",
        "middle_name": "Middle",
        "nickname": "Janey",
        "preferred_username": "foo",
        "profile": "https://example.com/foo",
        "picture": "https://example.com/foo.png",
        "website": "https://example.com/",
        "gender": "female",
        "birthdate": "1990-10-31",
        "zoneinfo": "Europe/Prague",
        "locale": "en-US",
        "email": "foo@example.com",
        "email_verified": True,
        "phone_number": "+49 000 000000",
        "phone_number_verified": False,
        "address": {
            "formatted": "Long Lane 1, 1000 Somewhere, Region, Czechia",
            "street_address": "Long Lane 1",
            "locality": "Somewhere",
            "region": "Region",
            "postal_code": "1000",
            "country": "Czechia",
        },
    },
    "bar": {"name": "John Doe", "email": "bar@example.com", "email_verified": True},
}


def invite(op: Provider, now: datetime) -> None:
    """Give each of them an account, once."""
    for username, claims in PEOPLE.items():
        if op.accounts.find_by_username(username) is None:
            op.accounts.create(username, PASSWORD, claims, now)
