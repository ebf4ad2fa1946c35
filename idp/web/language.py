"""Which language and time zone a person reads, and how the language is chosen.

What an app asks for on the person's behalf wins (`ui_locales`), then what the person chose
here, then what their account says, then what the browser prefers.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from flask import Blueprint, abort, g, redirect, request
from flask_babel import gettext as _gettext
from flask_babel import refresh
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.profile import time_zones
from idp.protocol.metadata import LANGUAGES
from idp.web.wire import provider

blueprint = Blueprint("language", __name__)

COOKIE = "idp_language"
YEAR = 365 * 24 * 3600
ABOUT = ("tx", "step", "setup", "way")
NAMES = {"en": "English", "de": "Deutsch"}

OWN_PAGE = re.compile(
    r"/(sign-in(/code)?|consent|device(/confirm)?|signed-out|account(/[a-z]+)?|receipts/[\w-]{1,64})(\?[\w=&%.~+-]*)?"
)


@blueprint.post("/language")
def choose() -> AnyResponse:
    """Remember the choice in this browser, and show the same page again."""
    tag = request.form.get("language", "")
    back = request.form.get("back", "")
    if tag not in LANGUAGES or not OWN_PAGE.fullmatch(back):
        abort(400)
    response = redirect(back, 303)
    response.set_cookie(
        COOKIE,
        tag,
        max_age=YEAR,
        secure=provider().rules.issuer.startswith("https://"),
        httponly=True,
        samesite="Lax",
    )
    return response


def gettext(text: str, **values: object) -> str:
    """The text in the person's language. (The library behind it has no types.)"""
    return str(_gettext(text, **values))


def speak(tags: Iterable[str]) -> None:
    """Use the language an app asked for on the person's behalf (ui_locales)."""
    g.asked_language = _spoken(tags)
    refresh()


def prefer(claims: Mapping[str, object]) -> None:
    """Use what the account says of its person's language and time zone."""
    g.account_language = _spoken([str(claims.get("locale", ""))])
    zone = str(claims.get("zoneinfo", ""))
    if zone in time_zones():
        g.zone = zone
    refresh()


def language() -> str:
    """The language of this answer."""
    chosen = (
        g.get("asked_language"),
        _spoken([request.cookies.get(COOKIE, "")]),
        g.get("account_language"),
        _spoken(tag for tag, quality in request.accept_languages if quality > 0),
    )
    return next((tag for tag in chosen if tag), LANGUAGES[0])


def here() -> str | None:
    """The page at hand as an address one can come back to, if it is one."""
    address = request.path
    if request.method == "GET" and request.query_string:
        address = f"{address}?{request.query_string.decode('ascii', 'replace')}"
    elif about := _about():
        address = f"{address}?{urlencode(about)}"
    return address if OWN_PAGE.fullmatch(address) else None


def _about() -> dict[str, str]:
    """What a form belongs to; nothing when the form is what could not be read."""
    try:
        return {name: said for name in ABOUT if (said := request.form.get(name, ""))}
    except HTTPException:
        return {}


def _spoken(tags: Iterable[str]) -> str | None:
    short = (tag.replace("_", "-").split("-")[0].lower() for tag in tags)
    return next((tag for tag in short if tag in LANGUAGES), None)
