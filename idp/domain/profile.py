"""The standard claims of a person, each held to its type (OpenID Connect Core section 5.1)."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from unicodedata import normalize
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from idp.store import Json

LONGEST = 1000
ADDRESS = ("formatted", "street_address", "locality", "region", "postal_code", "country")
BIRTHDATE = re.compile(r"(\d{4}|0000)(-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))?")
LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?")
PHONE = re.compile(r"\+?[0-9 ().;=/a-z-]{3,60}")


def checked_claims(claims: Mapping[str, Any]) -> Json:
    """The claims that are standard and well-formed; raises ValueError with a sentence.

    Empty ones are left out. Nothing here can stand in for what the protocol itself says
    (`iss`, `sub`, `sid`, `acr`, ...): a name that is not a standard claim is refused (OID-12).
    """
    kept: Json = {}
    for name, value in claims.items():
        if name not in CLAIMS:
            raise ValueError(f"{name!r} is not a standard claim")
        if value is None or value in ("", {}):
            continue
        kept[name] = CLAIMS[name](name, value)
    return kept


@cache
def time_zones() -> frozenset[str]:
    """Every time zone that is known here, read off the disk once."""
    return frozenset(available_timezones())


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        raise ValueError(f"{name} is not a text of at most {LONGEST} characters")
    return value.strip()


def _matching(pattern: re.Pattern[str], example: str) -> Callable[[str, object], str]:
    def check(name: str, value: object) -> str:
        text = _text(name, value)
        if not pattern.fullmatch(text):
            raise ValueError(f"{name} should look like {example}")
        return text

    return check


def _email(name: str, value: object) -> str:
    text = _text(name, value)
    local, at, domain = text.rpartition("@")
    # Who reads it may take a full-width sign for the sign.
    if (
        not (local and at and "." in domain)
        or " " in text
        or normalize("NFKC", text).count("@") > 1
    ):
        raise ValueError(f"{name} should look like ann@example.com")
    return text


def _web(name: str, value: object) -> str:
    text = _text(name, value)
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(f"{name} should be a web address")
    return text


def _boolean(name: str, value: object) -> bool:
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise ValueError(f"{name} is true or false")


def _zone(name: str, value: object) -> str:
    text = _text(name, value)
    if text not in time_zones():
        raise ValueError(f"{name} should look like Europe/Paris")
    return text


def _address(name: str, value: object) -> dict[str, str]:
    if isinstance(value, str):
        value = {"formatted": value}
    if not isinstance(value, Mapping) or not set(value) <= set(ADDRESS):
        raise ValueError(f"{name} has only the members {', '.join(ADDRESS)}")
    return {key: str(item)[:LONGEST] for key, item in value.items() if item}


CLAIMS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(
        ("name", "given_name", "family_name", "middle_name", "nickname", "gender"), _text
    ),
    "preferred_username": _text,
    "profile": _web,
    "picture": _web,
    "website": _web,
    "birthdate": _matching(BIRTHDATE, "1990-12-31, or 1990"),
    "zoneinfo": _zone,
    "locale": _matching(LOCALE, "en-US"),
    "email": _email,
    "email_verified": _boolean,
    "phone_number": _matching(PHONE, "+49 30 1234567"),
    "phone_number_verified": _boolean,
    "address": _address,
}
