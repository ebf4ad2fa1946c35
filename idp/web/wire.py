"""One translation in, one out, one commit.

A refusal is an answer: it is committed and sent. A fault is not: it is rolled back, and the
answer names it by a reference only. This file knows no feature.
"""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from flask import Response, current_app, has_request_context, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from idp.domain import Provider, unit
from idp.domain.unit import session
from idp.protocol.errors import InvalidRequest, OAuth2Error, to_answer
from idp.protocol.messages import JSON_TYPE, NO_STORE, Answer, OAuthRequest, Parameters
from idp.web.certificates import CERTIFICATE

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = structlog.get_logger()

Endpoint = Callable[[OAuthRequest, Provider], Answer]

NOTHING = Parameters()
FORM_TYPE = "application/x-www-form-urlencoded"
RETRY_AFTER = "1"
NEVER_KEPT = tuple(NO_STORE.items())


def provider() -> Provider:
    """The provider this application serves."""
    op: Provider = current_app.extensions["idp"]
    return op


def now() -> datetime:
    """The time of this request: asked once, and the same to the end."""
    if "idp.now" not in request.environ:
        request.environ["idp.now"] = current_app.extensions["idp.clock"]()
    moment: datetime = request.environ["idp.now"]
    return moment


def commit() -> None:
    """What this request did, is done."""
    unit.commit()


def serve(endpoint: Endpoint, path_argument: str = "") -> Response:
    """Read, answer, commit, write: the way of every protocol endpoint."""
    return write(perform(lambda: endpoint(read_request(path_argument), provider())))


def perform(answered: Callable[[], Answer]) -> Answer:
    """Answer and commit, a refusal too; undo a fault.

    An answer that must wait for something does so after the commit, and holds nothing of ours.
    """
    try:
        try:
            answer = answered()
        except OAuth2Error as refusal:
            answer = to_answer(refusal)
        unit.commit()
        if answer.later is not None:
            answer = answer.later()
            unit.commit()
    except (DBAPIError, PoolTimeout):
        session().rollback()
        log.exception("the store did not answer")
        answer = _unavailable()
    except HTTPException:
        session().rollback()
        raise
    except Exception:
        session().rollback()
        answer = _fault()
    return answer


def read_request(path_argument: str = "") -> OAuthRequest:
    """The request at hand as data; raises `InvalidRequest` for a body of another kind."""
    query, body, document = NOTHING, NOTHING, None
    if request.query_string:
        query = Parameters(pairs=tuple(request.args.items(multi=True)))
    if request.method in ("POST", "PUT", "PATCH"):
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise InvalidRequest("the body must not be compressed")
        if request.mimetype == FORM_TYPE:
            body = Parameters(pairs=tuple(request.form.items(multi=True)))
        elif request.mimetype == JSON_TYPE:
            document = _json(request.get_data())
        elif request.content_length:
            raise InvalidRequest("the body is of a type that is not understood here")
    return as_request(
        request.environ,
        url=f"{provider().rules.issuer}{request.path}",
        now=now(),
        query=query,
        body=body,
        document=document,
        path_argument=path_argument,
    )


def as_request(
    environ: "WSGIEnvironment",
    *,
    url: str,
    now: datetime,
    query: Parameters,
    body: Parameters,
    document: object = None,
    path_argument: str = "",
) -> OAuthRequest:
    """What came over the wire (PEP 3333), as the protocol floor knows it."""
    return OAuthRequest(
        method=environ["REQUEST_METHOD"],
        url=url,
        now=now,
        query=query,
        body=body,
        json=document,
        headers=_headers(environ),
        address=environ.get("REMOTE_ADDR", ""),
        certificate=environ.get(CERTIFICATE),
        path_argument=path_argument,
    )


def write(answer: Answer) -> Response:
    """An answer as Flask sends it."""
    headers, body = as_response(answer)
    return Response(body, status=answer.status, headers=headers)


def as_response(answer: Answer) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body; nothing is kept by caches unless it says so."""
    body, headers = b"", [*answer.headers]
    if isinstance(answer.body, bytes):
        body = answer.body
    elif isinstance(answer.body, str):
        body = answer.body.encode()
    elif answer.body is not None:
        body = orjson.dumps(answer.body)
    if answer.body is not None:
        headers.append(("Content-Type", answer.content_type))
    headers.append(("Content-Length", str(len(body))))
    if not answer.cacheable:
        headers += NEVER_KEPT
    return headers, body


def reference() -> str:
    """A number a person can tell an operator, who finds it in the log."""
    if not has_request_context():
        return secrets.token_hex(6)
    number: str = request.environ.setdefault("idp.reference", secrets.token_hex(6))
    return number


def _unavailable() -> Answer:
    """The store cannot say: the client should ask again (RFC 7009 section 2.2.1)."""
    body = {"error": "temporarily_unavailable", "error_description": "try again in a moment"}
    return Answer(status=503, body=body, headers=(("Retry-After", RETRY_AFTER),))


def _fault() -> Answer:
    number = reference()
    log.exception("fault", reference=number)
    described = f"something went wrong on our side, reference {number}"
    return Answer(status=500, body={"error": "server_error", "error_description": described})


def _headers(environ: "WSGIEnvironment") -> dict[str, list[str]]:
    """By lower-case name. What came twice the server has joined already (PEP 3333)."""
    return {
        name[5:].replace("_", "-").lower(): [value]
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }


def _json(raw: bytes) -> Any:  # noqa: ANN401 - JSON is what it is
    try:
        return orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError:
        raise InvalidRequest("the body is not JSON") from None
