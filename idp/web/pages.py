"""How a page is made: its language, its words for time, and its errors."""

from datetime import datetime

from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import Babel, format_datetime, get_locale, gettext, ngettext
from werkzeug.exceptions import HTTPException

from idp.domain.unit import session
from idp.protocol.metadata import LANGUAGES
from idp.web.browser import csrf_token
from idp.web.wire import log, now, provider, reference

SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)


def render(template: str, status: int = 200, **context: object) -> Response:
    """A page, with everything that all pages have."""
    html = render_template(
        template,
        csrf_token=csrf_token,
        locale=str(get_locale()),
        name=provider().rules.name,
        now=now(),
        **context,
    )
    return make_response(html, status)


def error_page(
    title: str,
    sentence: str,
    *,
    status: int = 400,
    error: str | None = None,
    back: str | None = None,
) -> Response:
    """A human sentence, the standard's name for it, a reference, and a way back."""
    return render(
        "error.html",
        status,
        title=title,
        sentence=sentence,
        error=error,
        reference=reference(),
        back=back,
    )


def set_up(app: Flask) -> None:
    """Languages, filters, and pages for what goes wrong."""
    Babel(app, locale_selector=_language, default_translation_directories="translations")
    app.jinja_env.filters["ago"] = ago
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.filters["device"] = device
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _fault)


def speak(tags: tuple[str, ...]) -> None:
    """Use the language a client asked for on the person's behalf (ui_locales)."""
    for tag in tags:
        short = tag.split("-")[0].lower()
        if short in LANGUAGES:
            g.language = short
            return


def ago(value: datetime) -> str:
    """A moment in words, as one would say it."""
    minutes = int((now() - value).total_seconds() // 60)
    if minutes < 1:
        return str(gettext("just now"))
    if minutes < 60:  # noqa: PLR2004
        return str(ngettext("%(num)d minute ago", "%(num)d minutes ago", minutes))
    if minutes < 24 * 60:
        return str(ngettext("%(num)d hour ago", "%(num)d hours ago", minutes // 60))
    return str(ngettext("%(num)d day ago", "%(num)d days ago", minutes // (24 * 60)))


def moment(value: datetime) -> str:
    """A moment exactly, in the person's language."""
    return str(format_datetime(value, "medium"))


def device(user_agent: str) -> str:
    """A browser and a system in words a person knows."""
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    if not browser:
        return str(gettext("A browser we do not know"))
    return f"{browser}, {system}" if system else browser


def _language() -> str:
    chosen: str | None = g.get("language")
    return chosen or request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def _http_error(error: HTTPException) -> Response:
    session().rollback()
    status = error.code or 500
    if request.blueprint == "protocol":
        response = make_response({"error": "invalid_request"}, status)
        response.headers["Cache-Control"] = "no-store"
    else:
        sentences = {
            403: gettext(
                "This form was not made for your browser, or it is too old. Go back, "
                "reload the page, and try again."
            ),
            404: gettext("There is nothing at this address."),
        }
        sentence = sentences.get(status, gettext("That did not work."))
        response = error_page(gettext("Not possible"), sentence, status=status)
    if getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
    return response


def _fault(error: Exception) -> Response:
    """A fault of ours: undone, logged under its reference, and told in one sentence."""
    session().rollback()
    log.error("fault", reference=reference(), exc_info=error)
    return error_page(
        gettext("Something went wrong"),
        gettext("The mistake is ours, and nothing was changed. Please try again in a moment."),
        status=500,
    )
