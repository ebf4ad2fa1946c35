"""How a page is made, and what is shown when something goes wrong."""

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_babel import Babel, get_locale
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from idp.domain.unit import session
from idp.web import language, reasons, words
from idp.web.browser import csrf_token
from idp.web.language import gettext, speak
from idp.web.wire import log, now, provider, reference

__all__ = ["error_page", "render", "set_up", "speak"]

FILTERS = {
    "ago": words.ago,
    "exactly": words.exactly,
    "device": words.device,
    "host": words.host,
    "client_name": words.client_name,
    "client_host": words.client_host,
    "client_logo": words.client_logo,
    "receipt_scope": reasons.scope_words,
    "receipt_reason": reasons.reason_words,
}
FORBIDDEN, NOT_FOUND, TOO_LARGE = 403, 404, 413


def render(template: str, status: int = 200, **context: object) -> Response:
    """A page, with everything that all pages have."""
    html = render_template(
        template,
        csrf_token=csrf_token,
        locale=str(get_locale()),
        languages=language.NAMES,
        here=language.here(),
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
    back_to: str | None = None,
) -> Response:
    """A human sentence, the standard's name for it, a way back, and a number under which an
    operator finds it in the log.
    """
    log.info("error page", reference=reference(), status=status, path=request.path, error=error)
    return render(
        "error.html",
        status,
        title=title,
        sentence=sentence,
        error=error,
        reference=reference(),
        back=back,
        back_to=back_to,
    )


def set_up(app: Flask) -> None:
    """Languages, filters, and pages for what goes wrong."""
    Babel(app, locale_selector=language.language)
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(language.blueprint)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DBAPIError, _unavailable)
    app.register_error_handler(PoolTimeout, _unavailable)
    app.register_error_handler(Exception, _fault)


def _http_error(error: HTTPException) -> Response:
    session().rollback()
    status = error.code or 500
    if request.blueprint == "protocol":
        response = make_response({"error": "invalid_request"}, status)
        response.headers["Cache-Control"] = "no-store"
    else:
        response = _shown(gettext("Not possible"), _sentence(status), status)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _unavailable(error: Exception) -> Response:
    """The store cannot say; nothing was changed, and asking again may help."""
    session().rollback()
    log.error("the store did not answer", reference=reference(), exc_info=error)
    title = gettext("Not at the moment")
    sentence = gettext("We are busy or being repaired. Nothing was changed. Please try again.")
    response = _shown(title, sentence, 503)
    response.headers["Retry-After"] = "1"
    return response


def _fault(error: Exception) -> Response:
    """A fault of ours: undone, logged under its reference, and told in one sentence."""
    session().rollback()
    log.error("fault", reference=reference(), exc_info=error)
    sentence = gettext(
        "The mistake is ours, and nothing was changed. Please try again in a moment."
    )
    return _shown(gettext("Something went wrong"), sentence, 500)


def _shown(title: str, sentence: str, status: int) -> Response:
    """A page for people; for a script of ours the sentence alone."""
    if request.is_json:
        return make_response(jsonify(error=sentence), status)
    return error_page(title, sentence, status=status)


def _sentence(status: int) -> str:
    return {
        FORBIDDEN: gettext(
            "This form was not made for your browser, or it is too old. Go back, reload the "
            "page, and try again. If that does not help: your browser must accept cookies."
        ),
        NOT_FOUND: gettext("There is nothing at this address."),
        TOO_LARGE: gettext("That was more than we can read."),
    }.get(status, gettext("That did not work."))
