"""Doors in: HTTP. `mount` hangs them."""

from flask import Flask

from idp.domain import Provider
from idp.web import (
    account,
    authorize,
    browser,
    certificates,
    check_session,
    device,
    edge,
    endpoints,
    interaction,
    logout,
    machines,
    metrics,
    ops,
    pages,
    passkeys,
    reset,
)
from idp.web.certificates import Shown

BLUEPRINTS = (
    endpoints.blueprint,
    authorize.blueprint,
    interaction.blueprint,
    device.blueprint,
    passkeys.blueprint,
    reset.blueprint,
    account.blueprint,
    logout.blueprint,
    check_session.blueprint,
    ops.blueprint,
)


def mount(app: Flask, op: Provider, *, hops: int, networks: tuple[str, ...], shown: Shown) -> None:
    """Hang every door, with limits on what comes in and headers on what goes out."""
    app.url_map.strict_slashes = True
    app.url_map.merge_slashes = False
    requests = metrics.measure(app)
    app.wsgi_app = machines.Door(app, op, requests)  # type: ignore[method-assign]
    edge.guard(app, hops=hops, networks=networks)
    certificates.take(app, shown)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    browser.harden(app)
    pages.set_up(app)
