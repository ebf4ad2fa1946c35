"""Self-service: what a person sees and changes of their own account."""

from flask import Blueprint

from idp.web.account import (
    apps,
    overview,
    profile,
    receipts,
    requests,
    second_factor,
    security,
    sessions,
)

blueprint = Blueprint("account", __name__)

for _room in (overview, profile, security, second_factor, sessions, apps, requests, receipts):
    blueprint.register_blueprint(_room.blueprint)
