"""The pages a person passes through on the way to an app: sign in, consent."""

from flask import Blueprint

from idp.web.interaction import consent, sign_in
from idp.web.interaction.sign_in import admit

__all__ = ["admit", "blueprint"]

blueprint = Blueprint("interaction", __name__)

for _page in (sign_in, consent):
    blueprint.register_blueprint(_page.blueprint)
