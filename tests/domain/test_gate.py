"""One gate (promise P1): every door against every way of dying. A door that does not ask the
gate stays open in one of these rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from idp.domain.sign_out import Because
from idp.store import db
from tests.support.ciba import CIBA, Caller, allows
from tests.support.device import DEVICE_CODE, Tv, answers
from tests.support.exchange import GRANT, TYPE
from tests.support.spec import spec
from tests.support.world import API, PASSWORD, Browser, Rp, World, make_world, returned

WHY = Because("test", "test")
IDLE, ABSOLUTE, BARELY = 100, 150, 50
EVERY_GRANT = {
    "grant_types": ["authorization_code", "implicit", "refresh_token", DEVICE_CODE, CIBA],
    "response_types": ["code", "id_token token"],
    "backchannel_token_delivery_mode": "poll",
}

TOKENS = {"refresh", "introspection of access", "introspection of refresh", "userinfo"}
TOKENS |= {"exchange", "introspection of exchanged", "exchange of exchanged"}
APP = {"code", "device", "ciba", "introspection of one by the browser", *TOKENS}
CLIENT = {"revocation", *APP}
ALL = {"browser", "silent authorize", "silent tokens by the browser", *APP}

FRONT = {"response_type": "id_token token", "nonce": "n", "scope": "openid notes:read"}


@dataclass
class Scene:
    """A person who is signed in at an app, and everything the app holds."""

    world: World
    api: Rp
    rp: Rp
    sub: str
    browser: Browser
    device: Tv
    caller: Caller
    access: str = ""
    exchanged: str = ""
    by_browser: str = ""
    refresh: str = ""
    code: str = ""
    verifier: str = ""

    def open_doors(self) -> set[str]:
        """The doors at which something of this sign-in is still taken for good."""
        world, rp = self.world, self.rp
        tries: dict[str, Callable[[], bool]] = {
            "browser": lambda: self.browser.http.get("/account").status_code == 200,
            "silent authorize": self._goes_silently,
            "silent tokens by the browser": lambda: bool(self._gets_silently()),
            "introspection of one by the browser": lambda: bool(
                self.api.introspect(self.by_browser)["active"]
            ),
            "userinfo": lambda: world.userinfo(self.access).status_code == 200,
            "introspection of access": lambda: self.api.introspect(self.access)["active"],
            "introspection of exchanged": lambda: self.api.introspect(self.exchanged)["active"],
            "exchange": lambda: self._exchanges(self.access) is not None,
            "exchange of exchanged": lambda: self._exchanges(self.exchanged) is not None,
            "introspection of refresh": lambda: rp.introspect(self.refresh).get("active") is True,
            "code": lambda: rp.redeem(self.code, self.verifier).status_code == 200,
            "device": lambda: self.device.polls().status_code == 200,
            "ciba": lambda: self.caller.polls().status_code == 200,
            "refresh": lambda: rp.refresh(self.refresh).status_code == 200,
            "revocation": lambda: rp.post("/revoke", token="other").status_code == 200,
        }
        return {name for name, good in tries.items() if good()}

    def _exchanges(self, token: str) -> str | None:
        """The API asks for a token of its own, on behalf of the person."""
        form = {"subject_token": token, "subject_token_type": f"{TYPE}access_token"}
        answer = self.api.post("/token", grant_type=GRANT, resource=API, **form)
        given: str | None = answer.json.get("access_token")
        return given

    def ask_again(self) -> None:
        """A fresh code, and fresh answers that wait to be fetched."""
        self.code, self.verifier = self.browser.code(self.rp), self.browser.verifier
        answers(self.browser, self.device.asks().code)
        allows(self.browser, self.caller.asks(self.sub))

    def _goes_silently(self) -> bool:
        mine = self.world.rp("Another")
        return "code=" in self.browser.authorize(mine, prompt="none").headers["Location"]

    def _gets_silently(self) -> str:
        """An access token that comes by the browser (RFC 6749 section 4.2)."""
        mine = self.world.rp("Another", **EVERY_GRANT)
        answer = self.browser.authorize(mine, prompt="none", **FRONT)
        return returned(answer).get("access_token", "")

    def form(self, path: str, page: str, browser: Browser | None = None, **fields: str) -> None:
        """Fill in a form of the account pages."""
        who = browser or self.browser
        who.submit(who.http.get(page), path, **fields)

    def elsewhere(self) -> Browser:
        """The same person in another browser."""
        other = self.world.browser()
        other.sign_in(self.sub)
        return other

    @property
    def session(self) -> str:
        """The oldest session of the person."""
        with self.world.app.app_context():
            rows = self.world.op.sessions.of_account(self.account, self.world.clock.now)
            return min(rows, key=lambda row: row.created_at).id

    @property
    def account(self) -> str:
        with self.world.app.app_context():
            row = self.world.op.accounts.find_by_username(self.sub)
            assert row is not None
            return row.id


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Rp]]:
    made = make_world(
        Path(tmp_path_factory.mktemp("gate")),
        IDP_LEGACY_RESPONSE_TYPES="true",
        IDP_LIFETIMES__SESSION_IDLE=str(IDLE),
        IDP_LIFETIMES__SESSION_ABSOLUTE=str(ABSOLUTE),
    )
    api = made.api(API, **{"notes:read": "Read your notes"})
    with made.app.app_context():
        right = {"resources": [API], "impersonation": True}
        made.op.clients.decide(api.client_id, token_exchange=right, grant_types=[GRANT])
        db.session.commit()
    yield made, api
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def scene(house: tuple[World, Rp], request: pytest.FixtureRequest) -> Scene:
    world, api = house
    name = f"person{abs(hash(request.node.name))}"
    world.person(name)
    browser, rp = world.browser(), world.rp(**EVERY_GRANT)
    made = Scene(world, api, rp, name, browser, Tv(rp), Caller(rp))
    browser.sign_in(name)
    tokens = browser.tokens(rp, scope="openid notes:read")
    made.access, made.refresh = tokens["access_token"], tokens["refresh_token"]
    made.exchanged = made._exchanges(made.access) or ""
    made.by_browser = returned(browser.authorize(rp, **FRONT))["access_token"]
    world.clock.advance(seconds=BARELY)
    made.ask_again()
    return made


def signs_out_of_the_app(scene: Scene) -> None:
    scene.form(
        "/account/sessions/end",
        "/account/sessions",
        what="app",
        session=scene.session,
        client=scene.rp.client_id,
    )


def signs_out_of_the_browser(scene: Scene) -> None:
    other, session = scene.elsewhere(), scene.session
    scene.form("/account/sessions/end", "/account/sessions", other, what="browser", session=session)


def signs_out_everywhere(scene: Scene) -> None:
    scene.form("/account/sessions/end", "/account/sessions", what="everywhere")


def signs_out_everywhere_else(scene: Scene) -> None:
    other = scene.elsewhere()
    scene.form("/account/sessions/end", "/account/sessions", other, what="elsewhere")


def takes_consent_back(scene: Scene) -> None:
    scene.form("/account/apps/remove", "/account/apps", client=scene.rp.client_id)


def changes_the_password(scene: Scene) -> None:
    scene.form(
        "/account/password",
        "/account/security",
        scene.elsewhere(),
        others="1",
        password=PASSWORD,
        new_password="quite another phrase of words",
    )


def client_is_disabled(scene: Scene) -> None:
    with scene.world.app.app_context():
        scene.world.op.clients.disable(scene.rp.client_id, scene.world.clock.now)
        db.session.commit()


def client_is_deleted(scene: Scene) -> None:
    with scene.world.app.app_context():
        scene.world.op.clients.remove(scene.rp.client_id, scene.world.clock.now)
        db.session.commit()


def account_is_disabled(scene: Scene) -> None:
    with scene.world.app.app_context():
        row = scene.world.op.accounts.find(scene.account)
        assert row is not None
        scene.world.op.accounts.disable(row, scene.world.clock.now)
        db.session.commit()


def rests_too_long(scene: Scene) -> None:
    scene.world.clock.advance(seconds=IDLE - BARELY + 1)


def stays_too_long(scene: Scene) -> None:
    scene.world.clock.advance(seconds=20)
    scene.browser.http.get("/account")  # the session is in use: its idle end moves
    scene.world.clock.advance(seconds=40)
    scene.ask_again()
    scene.world.clock.advance(seconds=ABSOLUTE - BARELY - 60 + 1)


def refresh_token_is_copied(scene: Scene) -> None:
    first = scene.refresh
    scene.refresh = scene.rp.refresh(first).json["refresh_token"]
    scene.rp.refresh(first)


def access_token_is_revoked(scene: Scene) -> None:
    scene.rp.post("/revoke", token=scene.access)


def nothing_happens(_scene: Scene) -> None:
    pass


@spec("P1", "RFT-09", "RFT-12", "SES-07", "COD-08", "COD-09", "ADM-03", "DEV-04")
@spec("CVE-2026-43983", "CVE-2024-38371", "CVE-2026-16103")
@spec("CVE-2025-64521", "CVE-2025-14559", "EXC-03", "CVE-2026-1609")
@pytest.mark.parametrize(
    ("happens", "closed"),
    [
        (nothing_happens, set()),
        (signs_out_of_the_app, APP),
        (signs_out_of_the_browser, ALL),
        (signs_out_everywhere, ALL),
        (signs_out_everywhere_else, ALL),
        (takes_consent_back, APP),
        (changes_the_password, ALL),
        (client_is_disabled, CLIENT),
        (client_is_deleted, CLIENT),
        (account_is_disabled, ALL),
        (rests_too_long, ALL),
        (stays_too_long, ALL),
        (refresh_token_is_copied, TOKENS),
        (access_token_is_revoked, TOKENS),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_door_asks_the_gate(
    scene: Scene, happens: Callable[[Scene], None], closed: set[str]
) -> None:
    happens(scene)

    assert scene.open_doors() == {"revocation", *ALL} - closed


@spec("P1", "REV-01", "INT-04")
def test_a_token_without_a_person_is_dead_once_revoked(house: tuple[World, Rp]) -> None:
    world, api = house
    robot = world.machine(grant_types=["client_credentials"], response_types=[])
    given = robot.post("/token", grant_type="client_credentials", scope="notes:read")
    token = given.json["access_token"]

    before = api.introspect(token)["active"]
    robot.post("/revoke", token=token)

    assert before is True
    assert api.introspect(token) == {"active": False}


@spec("INT-06", "CVE-2026-8922")
@pytest.mark.parametrize("client_first", [True, False])
def test_what_one_reason_ended_no_other_reason_revives(scene: Scene, client_first: bool) -> None:
    world, op, client_id = scene.world, scene.world.op, scene.rp.client_id
    steps: list[Callable[[], object]] = [
        lambda: op.clients.disable(client_id, world.clock.now),
        lambda: op.sign_outs.everywhere(scene.account, WHY, world.clock.now),
    ]

    for step in steps if client_first else steps[::-1]:
        with world.app.app_context():
            step()
            db.session.commit()
    with world.app.app_context():
        op.clients.enable(client_id, world.clock.now)
        db.session.commit()

    assert scene.open_doors() == {"revocation"}


@spec("INT-06", "CLK-04")
def test_every_reason_alone_is_enough(scene: Scene) -> None:
    world, op = scene.world, scene.world.op
    with world.app.app_context():
        op.sign_outs.everywhere(scene.account, WHY, world.clock.now)
        db.session.commit()
    again = scene.elsewhere()
    fresh = again.tokens(scene.rp, scope="openid notes:read")

    alive = scene.api.introspect(fresh["access_token"])["active"]
    client_is_disabled(scene)

    assert alive is True
    assert scene.api.introspect(fresh["access_token"]) == {"active": False}
    assert scene.api.introspect(scene.access) == {"active": False}
