"""A process is killed and nobody heard its answer: before the commit nothing has happened, after
it all has, and whoever asks again gets what the documentation says.
"""

from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from idp.store import db
from tests.outages.dying import AFTER, BEFORE, Dying
from tests.support.race import at_real_time
from tests.support.spec import spec
from tests.support.world import Browser, Rp, make_world

SECRET = "a secret that is only good for tests, and long"
BYE = "https://rp.test/bye"


class Scene:
    """Alice at an app that is told of sign-outs, and four processes that are about to die."""

    def __init__(self, folder: Path, url: str, moment: str, grace: str) -> None:
        environ = {"IDP_DATA_DIR": str(folder), "IDP_ISSUER": "https://op.test"}
        environ |= {"IDP_SECRET": SECRET, "IDP_LIFETIMES__ROTATION_GRACE": grace}
        environ |= {"IDP_WORKER__EMBEDDED": "false"} | ({"IDP_DATABASE_URL": url} if url else {})
        self.world = make_world(folder, url, IDP_LIFETIMES__ROTATION_GRACE=grace)
        self.who = self.world.person()
        heard = {"backchannel_logout_uri": "https://rp.test/heard"}
        self.rp: Rp = self.world.rp(post_logout_redirect_uris=[BYE], **heard)
        self._dying = [Dying(environ, moment) for _ in range(4)]

    def signed_in(self) -> tuple[Browser, dict[str, Any]]:
        at_real_time(self.world)
        browser = self.world.browser()
        return browser, browser.tokens(self.rp)

    def posts(self, path: str, **form: str) -> str:
        auth = [self.rp.client_id, self.rp.secret]
        return self._dying.pop().answers("POST", path, data=form, auth=auth)

    def goes(self, path: str, **query: str) -> str:
        return self._dying.pop().answers("GET", path, query_string=query)

    def end(self) -> None:
        with self.world.app.app_context():
            db.session.remove()
            db.engine.dispose()


def alive(scene: Scene, token: str) -> bool:
    at_real_time(scene.world)
    active: bool = scene.rp.introspect(token)["active"]
    return active


def at_store(request: pytest.FixtureRequest, store: str) -> str:
    """Where its database is."""
    if store == "sqlite":
        return ""
    fresh: str = request.getfixturevalue("postgres").fresh()
    return fresh


def redeemed(scene: Scene, browser: Browser, code: str) -> TestResponse:
    at_real_time(scene.world)
    return scene.rp.redeem(code, browser.verifier)


@pytest.mark.slow
@spec("F-03", "P2", "COD-14", "REV-05")
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_who_is_killed_before_the_commit_has_done_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, store: str
) -> None:
    scene = Scene(tmp_path, at_store(request, store), BEFORE, "0")
    rp = scene.rp
    browser, first = scene.signed_in()
    second, third = browser.tokens(rp), browser.tokens(rp)
    code = browser.code(rp)
    leave = {"id_token_hint": third["id_token"], "post_logout_redirect_uri": BYE}

    heard = [
        scene.posts("/revoke", token=first["refresh_token"]),
        scene.posts("/token", grant_type="refresh_token", refresh_token=second["refresh_token"]),
        scene.posts(
            "/token",
            grant_type="authorization_code",
            code=code,
            redirect_uri=rp.redirect_uri,
            code_verifier=browser.verifier,
        ),
        scene.goes("/end_session", **leave),
    ]

    assert heard == [""] * 4
    assert [alive(scene, t["access_token"]) for t in (first, second, third)] == [True] * 3
    assert rp.post("/revoke", token=first["refresh_token"]).status_code == 200
    assert rp.refresh(second["refresh_token"]).status_code == 200
    assert redeemed(scene, browser, code).status_code == 200
    assert scene.world.http().get("/end_session", query_string=leave).status_code == 303
    assert [alive(scene, t["access_token"]) for t in (first, second, third)] == [False] * 3
    scene.end()


@pytest.mark.slow
@spec("F-03", "P2", "RFT-13", "COD-01", "REV-01", "BCL-04", "LGO-08")
@pytest.mark.parametrize(
    ("store", "grace", "again"),
    [("sqlite", "0", 400), ("sqlite", "10", 200), ("postgresql", "0", 400)],
)
def test_who_is_killed_after_the_commit_has_done_all(
    request: pytest.FixtureRequest, tmp_path: Path, store: str, grace: str, again: int
) -> None:
    scene = Scene(tmp_path, at_store(request, store), AFTER, grace)
    rp, world = scene.rp, scene.world
    browser, first = scene.signed_in()
    second, third = browser.tokens(rp), browser.tokens(rp)
    code = browser.code(rp)
    leave = {"id_token_hint": third["id_token"], "post_logout_redirect_uri": BYE}

    scene.posts("/revoke", token=first["refresh_token"])
    assert not alive(scene, first["access_token"])
    assert rp.post("/revoke", token=first["refresh_token"]).status_code == 200

    scene.posts("/token", grant_type="refresh_token", refresh_token=second["refresh_token"])
    retried = rp.refresh(second["refresh_token"])
    assert retried.status_code == again
    assert alive(scene, second["access_token"]) == (again == 200)

    form = {"redirect_uri": rp.redirect_uri, "code_verifier": browser.verifier}
    scene.posts("/token", grant_type="authorization_code", code=code, **form)
    assert redeemed(scene, browser, code).json["error"] == "invalid_grant"

    scene.goes("/end_session", **leave)
    assert not alive(scene, third["access_token"])
    assert world.http().get("/end_session", query_string=leave).status_code == 303
    with world.app.app_context():
        signed_out = world.op.sign_outs.receipts.of_account(scene.who)
        waiting = world.op.sign_outs.deliveries.newest()
    assert [row.scope for row in signed_out].count("browser") == 1
    assert len(waiting) == 1
    scene.end()
