"""The profile: what apps may learn of a person, when the person lets them."""

from collections.abc import Mapping
from dataclasses import dataclass

from babel import Locale, UnknownLocaleError
from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.profile import ADDRESS, LONGEST, checked_claims, time_zones
from idp.web.account.access import Here, personal
from idp.web.account.frame import show
from idp.web.language import gettext
from idp.web.wire import commit, now, provider

blueprint = Blueprint("profile", __name__)

Choices = tuple[tuple[str, str], ...]

LOCALES = ("de", "de-AT", "de-CH", "en", "en-GB", "en-US", "es", "fr", "it", "nl", "pl", "pt")
ADDRESS_SHOWN = ("street_address", "postal_code", "locality", "region", "country")
KINDS = {"email": "email", "phone_number": "tel", "profile": "url", "picture": "url"}
KINDS |= {"website": "url"}
GROUPS = (
    ("name", "given_name", "middle_name", "family_name", "nickname", "gender", "birthdate"),
    ("email", "phone_number"),
    tuple(f"address.{part}" for part in ADDRESS_SHOWN),
    ("locale", "zoneinfo", "profile", "picture", "website"),
)
REACHED_BY = ("email", "phone_number")
EDITABLE = tuple(name for group in GROUPS for name in group if "." not in name)
AUTOCOMPLETE = {
    "name": "name",
    "given_name": "given-name",
    "middle_name": "additional-name",
    "family_name": "family-name",
    "nickname": "nickname",
    "email": "email",
    "phone_number": "tel",
    "website": "url",
    "address.street_address": "street-address",
    "address.postal_code": "postal-code",
    "address.locality": "address-level2",
    "address.region": "address-level1",
    "address.country": "country-name",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the form."""

    name: str
    label: str
    value: str
    fault: str | None
    kind: str
    autocomplete: str
    choices: Choices


@blueprint.get("/account/profile")
@personal("profile")
def profile(here: Here) -> AnyResponse:
    """The form, filled in."""
    return _form(here, _typed(here.account.claims), {})


@blueprint.post("/account/profile")
@personal("profile")
def change_profile(here: Here) -> AnyResponse:
    """Keep what was typed if all of it is well-formed; else say what is wrong, and where. How
    a person is reached changes only by somebody who signed in a moment ago (ADM-04).
    """
    account = here.account
    typed = {name: request.form.get(name, "").strip() for group in GROUPS for name in group}
    faults = {name: fault for name, value in typed.items() if (fault := _fault(name, value))}
    if faults:
        return _form(here, typed, faults, status=400)
    moved = any(typed[name] != account.claims.get(name, "") for name in REACHED_BY)
    if moved and not here.fresh:
        return redirect("/sign-in?for=profile", 303)
    kept = {n: v for n, v in account.claims.items() if n not in (*EDITABLE, "address")}
    parts = {part: typed[f"address.{part}"] for part in ADDRESS_SHOWN}
    address = {part: value for part, value in parts.items() if value}
    wanted = {**kept, **{name: typed[name] for name in EDITABLE}, "address": address}
    provider().accounts.set_claims(account, wanted, now())
    provider().events.record("ProfileChanged", now(), account_id=account.id)
    commit()
    return redirect("/account/profile?done=profile", 303)


def _typed(claims: Mapping[str, object]) -> dict[str, str]:
    """The claims as the form shows them. An address kept in one piece goes into the street."""
    found = claims.get("address")
    address = dict(found) if isinstance(found, Mapping) else {}
    if not any(address.get(part) for part in ADDRESS_SHOWN):
        address["street_address"] = address.get("formatted", "")
    typed = {name: str(claims.get(name, "")) for name in EDITABLE}
    return typed | {f"address.{part}": str(address.get(part, "")) for part in ADDRESS}


def _form(
    here: Here, typed: Mapping[str, str], faults: Mapping[str, str], *, status: int = 200
) -> AnyResponse:
    labels = _labels()
    choices = {"locale": _locales(typed["locale"]), "zoneinfo": _zones()}

    def field(name: str) -> Field:
        return Field(
            name=name,
            label=labels[name],
            value=typed[name],
            fault=faults.get(name),
            kind=KINDS.get(name, "text"),
            autocomplete=AUTOCOMPLETE.get(name, ""),
            choices=choices.get(name, ()),
        )

    legends = (
        gettext("About you"),
        gettext("How to reach you"),
        gettext("Your address"),
        gettext("Language, time, and the web"),
    )
    return show(
        here,
        "profile.html",
        status,
        groups=[(words, [field(n) for n in g]) for words, g in zip(legends, GROUPS, strict=True)],
        problem=gettext("Nothing was saved yet: something is not right.") if faults else None,
    )


def _fault(name: str, value: str) -> str | None:
    """What is wrong with a line, with an example of a right one."""
    claim = name.partition(".")[0]
    if claim == "address":
        wrong = len(value) > LONGEST or not value.isprintable()
        return gettext("This is too long, or has odd characters in it.") if wrong else None
    try:
        checked_claims({claim: value})
    except ValueError:
        examples = {
            "email": "ann@example.com",
            "phone_number": "+49 30 1234567",
            "birthdate": "1990-12-31",
            "locale": "en-GB",
            "zoneinfo": "Europe/Berlin",
        }
        examples |= dict.fromkeys(("profile", "picture", "website"), "https://example.com/")
        if claim in examples:
            return gettext("This should look like %(example)s", example=examples[claim])
        return gettext("This is too long, or has odd characters in it.")
    return None


def _locales(present: str) -> Choices:
    """Languages by their own names."""
    tags = sorted({*LOCALES, present} - {""})
    return (("", ""), *((tag, _language_name(tag)) for tag in tags))


def _language_name(tag: str) -> str:
    try:
        name = Locale.parse(tag, sep="-").get_display_name()
    except (ValueError, UnknownLocaleError):
        return tag
    return name or tag


def _zones() -> Choices:
    cities = sorted(zone for zone in time_zones() if "/" in zone and zone[:3] != "Etc")
    return (("", ""), ("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in cities))


def _labels() -> dict[str, str]:
    return {
        "name": gettext("Full name"),
        "given_name": gettext("First name"),
        "middle_name": gettext("Middle name"),
        "family_name": gettext("Last name"),
        "nickname": gettext("Nickname"),
        "gender": gettext("Gender"),
        "birthdate": gettext("Birthday, as 1990-12-31"),
        "email": gettext("E-mail"),
        "phone_number": gettext("Phone"),
        "address.street_address": gettext("Street and number"),
        "address.postal_code": gettext("Postal code"),
        "address.locality": gettext("City"),
        "address.region": gettext("Region"),
        "address.country": gettext("Country"),
        "locale": gettext("Language"),
        "zoneinfo": gettext("Time zone"),
        "profile": gettext("Profile page"),
        "picture": gettext("Address of a picture"),
        "website": gettext("Website"),
    }
