"""Which language a visitor reads: what they chose here, else what their browser prefers."""

from pathlib import Path

from flask import Flask, abort, redirect, request
from flask_babel import Babel, get_locale
from flask_babel import format_decimal as _decimal
from flask_babel import gettext as _gettext
from werkzeug.wrappers import Response as AnyResponse

COOKIE = "demo_language"
YEAR = 365 * 24 * 3600
NAMES = {"en": "English", "de": "Deutsch"}
CATALOGS = Path(__file__).with_name("translations")


def N_(text: str) -> str:  # noqa: N802 - what translators' tools look for
    """Mark a text that is translated where it is shown."""
    return text


def gettext(text: str, **values: object) -> str:
    """The text in the visitor's language. (The library behind it has no types.)"""
    return str(_gettext(text, **values))


def number(value: float) -> str:
    """With one digit behind the visitor's decimal sign."""
    return str(_decimal(value, format="0.0"))


def hang(app: Flask) -> None:
    """Each page in the visitor's language, and a place to choose it."""
    Babel(app, locale_selector=language, default_translation_directories=str(CATALOGS))
    app.add_url_rule("/language", "language", choose, methods=["POST"])
    app.context_processor(lambda: {"locale": str(get_locale()), "languages": NAMES})


def language() -> str:
    """The language of this answer."""
    chosen = request.cookies.get(COOKIE, "")
    wanted = [tag.partition("-")[0] for tag, quality in request.accept_languages if quality > 0]
    return next((tag for tag in (chosen, *wanted) if tag in NAMES), "en")


def choose() -> AnyResponse:
    """Remember the choice in this browser, and show the same page again."""
    tag, back = request.form.get("language", ""), request.form.get("back", "")
    if tag not in NAMES or not back.startswith("/") or back[1:2] in ("/", "\\"):
        abort(400)
    if not back.isprintable() or request.headers.get("Sec-Fetch-Site", "same-origin") not in (
        "same-origin",
        "none",
    ):
        abort(400)
    response = redirect(back, 303)
    response.set_cookie(
        COOKIE, tag, max_age=YEAR, secure=request.is_secure, httponly=True, samesite="Lax"
    )
    return response
