"""An API behind the guard: it hands out notes and photos to whoever may have them."""

import os

from flask import Flask, Response, jsonify

from client_demo.lab import api as lab
from idp.guard import Guard, ProtectedResource
from idp.guard.flask import FlaskGuard


def create_app() -> Flask:
    """The API, for the issuer and with the credentials its environment names."""
    app = Flask(__name__)
    guard = FlaskGuard(
        Guard(
            os.environ["DEMO_ISSUER"],
            os.environ["DEMO_API"],
            client_id=os.environ["DEMO_CLIENT_ID"],
            client_secret=os.environ["DEMO_CLIENT_SECRET"],
            metadata=ProtectedResource(name="Demo API", scopes=("notes:read", "photos:read")),
        ),
        app,
        debug=True,
    )

    @app.get("/")
    def about() -> Response:
        return jsonify(api="demo", resource=os.environ["DEMO_API"])

    @app.get("/notes")
    @guard.require("notes:read")
    def notes() -> Response:
        return jsonify(sub=guard.access().sub, notes=["Buy milk", "Call the dentist"])

    @app.get("/photos")
    @guard.require("photos:read")
    def photos() -> Response:
        return jsonify(sub=guard.access().sub, photos=["Lake at dawn", "Old harbour"])

    if os.environ.get("DEMO_LAB_CLIENT_ID"):
        lab.hang(app)
    return app
