"""How a relying party is asked through the browser to sign out (Front-Channel Logout 1.0)."""

from flask import Response, request

from client_demo.visits import Visit, Visits


def asked(issuer: str, here: Visit | None, visits: Visits) -> Response:
    """The provider's last page loads us in a frame. Anybody can make a browser do that, so only
    the session that is named ends, here and nowhere else (section 3).
    """
    named = request.args.get("iss") == issuer and "sid" in request.args
    if named and here is not None and here.user is not None:
        if here.user.get("sid") == request.args["sid"]:
            visits.end(here, "the provider")
    response = Response("", content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = f"default-src 'none'; frame-ancestors {issuer}"
    return response
