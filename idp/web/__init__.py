"""Doors in: HTTP. `mount` hangs them."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from idp.domain import Provider
from idp.web import (
    account,
    authorize,
    browser,
    endpoints,
    interaction,
    logout,
    ops,
    pages,
    passkeys,
)

BODY_LIMIT = 64 * 1024
FIELD_LIMIT = 200

BLUEPRINTS = (
    endpoints.blueprint,
    authorize.blueprint,
    interaction.blueprint,
    passkeys.blueprint,
    account.blueprint,
    logout.blueprint,
    ops.blueprint,
)


def mount(app: Flask, op: Provider, *, trusted_proxies: int) -> None:
    """Hang every door, with limits on what comes in and headers on what goes out."""
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    app.config["MAX_FORM_PARTS"] = FIELD_LIMIT
    app.url_map.strict_slashes = True
    app.url_map.merge_slashes = False
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    browser.harden(app)
    pages.set_up(app)
    if trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=trusted_proxies, x_proto=0, x_host=0, x_port=0, x_prefix=0
        )
