"""The APIs of the lab: one address for each exhibit, each behind a guard of its own."""

import os

from flask import Flask, Response, jsonify, request

from client_demo.lab import line
from client_demo.lab.exhibits import EDITOR, EXHIBITS, SCOPE, Exhibit
from idp.guard import Guard, Refused


def hang(app: Flask) -> None:
    """The addresses. A guard listens only once its exhibit is visited."""
    http = line.hang(app, line.Line(), os.environ.get("DEMO_OPERATOR_SECRET", ""))
    for exhibit in EXHIBITS:
        for address in exhibit.addresses(os.environ["DEMO_API"]):
            guard = Guard(
                os.environ["DEMO_ISSUER"],
                address,
                client_id=os.environ["DEMO_LAB_CLIENT_ID"],
                client_secret=os.environ["DEMO_LAB_CLIENT_SECRET"],
                http=http,
            )
            _hang_one(app, exhibit, address.removeprefix(os.environ["DEMO_API"]), guard)


def _hang_one(app: Flask, exhibit: Exhibit, path: str, guard: Guard) -> None:
    def answer() -> Response:
        access = guard.check(
            request.headers.getlist("Authorization"),
            [SCOPE],
            method=request.method,
            url=request.path,
            dpop=request.headers.getlist("DPoP"),
            freshness=exhibit.freshness,
            roles=[EDITOR] if request.method == "POST" else [],
        )
        said: dict[str, object] = {"sub": access.sub}
        if exhibit.roles:
            said["roles"] = sorted(access.roles)
        response = jsonify(said)
        response.headers.extend(guard.headers(access, debug=True))
        return response

    def health() -> Response:
        said = guard.health()
        said["staleness"] = said["staleness"] if said["fresh"] else None
        return jsonify(said)

    app.register_error_handler(Refused, _refusal)
    app.add_url_rule(path, path, answer, methods=["GET", "POST"])
    app.add_url_rule(f"{path}/health", f"{path}/health", health)


def _refusal(error: Exception) -> Response:
    if not isinstance(error, Refused):
        raise error
    response = jsonify(error.body)
    response.status_code = error.status
    response.headers.extend(error.headers)
    return response
