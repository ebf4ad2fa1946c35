"""The pages a person passes through on the way to an app: sign in, show a code, consent."""

from flask import Blueprint

from idp.web.interaction import code, consent, sign_in
from idp.web.interaction.arrival import admit

__all__ = ["admit", "blueprint"]

blueprint = Blueprint("interaction", __name__)

for _page in (sign_in, code, consent):
    blueprint.register_blueprint(_page.blueprint)
