"""How a relying party answers a logout token (Back-Channel Logout 1.0 section 2.8)."""

from flask import Response, jsonify, request

from client_demo.op import BadToken, Op, OutOfReach
from client_demo.visits import Visits


def told(op: Op, visits: Visits) -> Response:
    """The provider tells us of a sign-out; a token that is bad, or was here before, is refused."""
    response = jsonify({})
    try:
        said = op.logout(request.form.get("logout_token", ""))
        if not visits.end_all(said, "the provider"):
            raise BadToken("it was here before")
    except BadToken:
        response = jsonify(error="invalid_request")
        response.status_code = 400
    except OutOfReach:
        response.status_code = 503  # without keys we cannot tell; the provider comes again
    response.headers["Cache-Control"] = "no-store"
    return response
