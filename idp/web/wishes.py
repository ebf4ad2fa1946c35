"""What an app may do, in plain words: scopes and claims as a person understands them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from idp.protocol.claims import OPENID_SCOPES, SCOPE_CLAIMS
from idp.web.language import gettext


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing an app would like, and what it would get to see now."""

    words: str
    details: str = ""
    offline: bool = False


def wishes(
    scopes: Iterable[str],
    claims: Iterable[str],
    of_apis: Mapping[str, str],
    known: Mapping[str, object],
) -> list[Wish]:
    """Every scope and every claim that is asked for, each said once. None is left out: a person
    cannot allow what they were not shown.
    """
    asked = list(scopes)
    said = _scopes()
    shown = [
        Wish(said[scope], details=_present(scope, known))
        for scope in asked
        if scope in said and scope != "offline_access"
    ]
    shown += [Wish(words) for words in _claims_beyond(asked, claims)]
    shown += [
        Wish(of_apis[scope], details=scope)
        for scope in asked
        if scope in of_apis and scope not in OPENID_SCOPES
    ]
    if "offline_access" in asked:
        shown.append(_offline())
    return shown


def _scopes() -> dict[str, str]:
    return {
        "openid": gettext("Know that it is you"),
        "profile": gettext("See your profile: name, picture, language and the like"),
        "email": gettext("See your e-mail address"),
        "address": gettext("See your postal address"),
        "phone": gettext("See your phone number"),
    }


def _claims_beyond(scopes: list[str], claims: Iterable[str]) -> list[str]:
    """Single claims that no scope covers (OpenID Connect Core section 5.5)."""
    covered = {claim for scope in scopes for claim in SCOPE_CLAIMS.get(scope, ())}
    words = _claims()
    return list(dict.fromkeys(words[c] for c in claims if c in words and c not in covered))


def _claims() -> dict[str, str]:
    name = gettext("See your name")
    email = gettext("See your e-mail address")
    phone = gettext("See your phone number")
    return {
        "name": name,
        "given_name": name,
        "family_name": name,
        "middle_name": name,
        "nickname": gettext("See your nickname"),
        "preferred_username": gettext("See your username"),
        "profile": gettext("See the address of your profile page"),
        "picture": gettext("See your picture"),
        "website": gettext("See the address of your website"),
        "gender": gettext("See your gender"),
        "birthdate": gettext("See your birthday"),
        "zoneinfo": gettext("See your time zone"),
        "locale": gettext("See your language"),
        "updated_at": gettext("See when your profile last changed"),
        "email": email,
        "email_verified": email,
        "phone_number": phone,
        "phone_number_verified": phone,
        "address": gettext("See your postal address"),
    }


def _offline() -> Wish:
    return Wish(
        gettext("Stay connected when you are signed out"),
        details=gettext(
            "Signing out in one browser does not end this. “Sign out everywhere” does, and so "
            "does removing the app."
        ),
        offline=True,
    )


def _present(scope: str, known: Mapping[str, object]) -> str:
    """What the app would see of the person today."""
    if scope == "address":
        address = known.get("address")
        return ", ".join(map(str, address.values())) if isinstance(address, Mapping) else ""
    claim = {"profile": "name", "email": "email", "phone": "phone_number"}.get(scope, "")
    return str(known.get(claim, ""))
