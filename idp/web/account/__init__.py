"""Self-service: what a person sees and changes of their own account."""

from flask import Blueprint

blueprint = Blueprint("account", __name__, url_prefix="")

from idp.web.account import apps, overview, security, sessions  # noqa: E402, F401
