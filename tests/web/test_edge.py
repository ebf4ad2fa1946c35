"""The edge: odd requests, odd cookies, odd headers. Nothing of it is a fault of ours."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from idp.settings import SettingsRefused, load
from idp.store import db
from tests.support.services import Postgres
from tests.support.spec import spec
from tests.support.world import World, make_world

SESSION = "__Host-idp_session"
NUL = "\x00"
REGISTRATION_ERRORS = {"invalid_request", "invalid_client_metadata", "invalid_redirect_uri"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(Path(tmp_path_factory.mktemp("edge")))
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def http(house: World) -> FlaskClient:
    return house.http()


def planted(house: World, value: str) -> FlaskClient:
    """A browser with a session cookie that somebody put there."""
    client = house.app.test_client()
    client.set_cookie(SESSION, value, domain="localhost", secure=True)
    return client


# Cookies


@spec("SES-01", "V3.3.1")
def test_the_session_cookie_is_for_this_host_over_https_and_for_no_script(house: World) -> None:
    browser = house.browser()

    answer = browser.sign_in()

    (cookie,) = [c for c in answer.headers.getlist("Set-Cookie") if c.startswith(SESSION)]
    assert {part.strip() for part in cookie.split(";")[1:]} == {
        "Secure",
        "HttpOnly",
        "Path=/",
        "SameSite=Lax",
    }
    assert re.match(rf"{SESSION}=ss_[\w-]{{43}};", cookie)
    assert all(len(c) < 4096 for c in answer.headers.getlist("Set-Cookie"))


@spec("SES-01", "KEY-05")
def test_the_database_holds_no_cookie_that_works(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.person()
    browser = world.browser()
    browser.sign_in()

    cookie = browser.http.get_cookie(SESSION)

    kept = b"".join(path.read_bytes() for path in tmp_path.glob("idp.sqlite3*"))
    assert cookie is not None
    assert cookie.value.encode() not in kept
    assert cookie.value.removeprefix("ss_").encode() not in kept


@spec("SES-03", "SES-02", "CVE-2024-28197", "CVE-2026-7507")
def test_whoever_planted_a_cookie_before_the_sign_in_has_nothing_after_it(house: World) -> None:
    thief = house.browser()
    thief.sign_in()
    stolen = thief.http.get_cookie(SESSION)
    assert stolen is not None
    victim = house.browser()
    victim.http.set_cookie(SESSION, stolen.value, domain="localhost", secure=True)

    victim.submit(victim.http.get("/sign-in?as=other"), "/sign-in", username="alice")
    victim.sign_in()

    fresh = victim.http.get_cookie(SESSION)
    assert fresh is not None
    assert fresh.value != stolen.value
    assert planted(house, stolen.value).get("/account").status_code == 303


@spec("SES-03")
def test_a_session_name_of_ones_own_choice_is_never_taken_over(house: World) -> None:
    chosen = "ss_" + "A" * 43
    victim = house.browser()
    victim.http.set_cookie(SESSION, chosen, domain="localhost", secure=True)

    victim.sign_in()

    assert planted(house, chosen).get("/account").status_code == 303


@spec("SES-08", "CVE-2023-0264")
def test_a_cookie_of_a_session_that_ended_is_nobodys_again(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.person()
    world.person("bob")
    browser = world.browser()
    browser.sign_in()
    old = browser.http.get_cookie(SESSION)
    assert old is not None
    browser.submit(
        browser.http.get("/account/sessions"), "/account/sessions/end", what="everywhere"
    )

    others = [world.browser() for _ in range(3)]
    for other in others:
        other.sign_in("bob")

    cookies = {getattr(other.http.get_cookie(SESSION), "value", "") for other in others}
    assert len(cookies) == 3
    assert old.value not in cookies
    assert planted(world, old.value).get("/account").status_code == 303


@spec("SES-09", "CVE-2023-23934", "CVE-2026-25748")
@pytest.mark.parametrize(
    "cookie",
    [
        f"={SESSION}=ss_{'A' * 43}",
        f"{SESSION}=; {SESSION}=ss_x",
        f"{SESSION}=ss_" + "x" * 65536,
        f"{SESSION}=ss_\xff\xfe",
        f'{SESSION}="ss_\\054"',
        ";;;===;;",
        f"{SESSION}",
        f"{SESSION}=ss_%00",
        "__Host-idp_browser=br_" + "x" * 200,
        "idp_language=../../etc; idp_device=\xff",
    ],
    ids=lambda cookie: ascii(cookie)[:32],
)
def test_a_broken_cookie_is_no_session_and_no_fault(http: FlaskClient, cookie: str) -> None:
    account = http.get("/account", headers={"Cookie": cookie})
    page = http.get("/sign-in", headers={"Cookie": cookie})

    assert account.status_code == 303
    assert page.status_code == 200


# Where the request says it came from, and where it says it goes


@spec("EDG-01", "CVE-2025-64101")
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.test"},
        {"Host": "op.test:8443"},
        {"Host": "evil.test", "X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "http"},
        {"X-Forwarded-Prefix": "/evil", "X-Script-Name": "/evil"},
        {"Forwarded": "host=evil.test;proto=http", "X-Original-URL": "/evil"},
        {"Host": ""},
        {"Host": "[::1"},
    ],
    ids=str,
)
@pytest.mark.parametrize("hops", [0, 1])
def test_what_we_are_called_is_ours_to_say(
    house: World, tmp_path_factory: pytest.TempPathFactory, headers: dict[str, str], hops: int
) -> None:
    world = house if hops == 0 else _behind_a_proxy(tmp_path_factory)
    http = world.app.test_client()
    honest = http.get("/.well-known/openid-configuration").json

    said = http.get("/.well-known/openid-configuration", headers=headers)
    page = http.get("/sign-in", headers=headers)
    away = http.get("/account", headers=headers)

    assert said.json == honest
    assert "evil" not in page.text
    assert away.headers["Location"] == "/sign-in"


_proxied: dict[str, World] = {}


def _behind_a_proxy(factory: pytest.TempPathFactory) -> World:
    if "world" not in _proxied:
        _proxied["world"] = make_world(
            Path(factory.mktemp("proxied")),
            IDP_SERVER__TRUSTED_PROXIES="1",
            IDP_SERVER__PROXY_NETWORKS="10.0.0.0/8, ::1/128",
            IDP_REGISTRATION__QUOTA="2",
        )
    return _proxied["world"]


@spec("EDG-02", "PWD-11", "CVE-2023-36456")
@pytest.mark.parametrize(
    ("peer", "forwarded", "answers"),
    [
        # a proxy of ours names three callers: each has an allowance of its own
        ("10.0.0.1", ["192.0.2.1", "192.0.2.2", "192.0.2.3"], [201, 201, 201]),
        ("::ffff:10.0.0.2", ["192.0.2.4", "192.0.2.5", "192.0.2.6"], [201, 201, 201]),
        # what the caller put there before counts for nothing
        ("10.0.0.3", ["a, 192.0.2.7", "b, 192.0.2.7", "192.0.2.9, 192.0.2.7"], [201, 201, 429]),
        # somebody who is no proxy of ours
        ("203.0.113.1", ["192.0.2.10", "192.0.2.11", "192.0.2.12"], [201, 201, 429]),
    ],
)
def test_a_callers_address_is_believed_of_our_own_proxies_only(
    tmp_path_factory: pytest.TempPathFactory, peer: str, forwarded: list[str], answers: list[int]
) -> None:
    world = _behind_a_proxy(tmp_path_factory)

    given = [
        world.http().post(
            "/register",
            json={"redirect_uris": ["https://rp.test/cb"]},
            headers={"X-Forwarded-For": header},
            environ_overrides={"REMOTE_ADDR": peer},
        )
        for header in forwarded
    ]

    assert [answer.status_code for answer in given] == answers


@spec("EDG-02")
def test_a_network_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsRefused, match="proxy_networks"):
        load(environ={"IDP_SERVER__PROXY_NETWORKS": "somewhere"})


# Too much, too odd


@spec("EDG-03")
@pytest.mark.parametrize("path", ["/token", "/revoke", "/introspect", "/sign-in", "/authorize"])
@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ({"a": "x" * 70_000}, "application/x-www-form-urlencoded"),
        ({f"field{number}": "1" for number in range(201)}, "application/x-www-form-urlencoded"),
        ({f"field{number}": "1" for number in range(201)}, "multipart/form-data"),
    ],
    ids=["long", "many", "parts"],
)
def test_too_much_is_said_to_be_too_much(
    http: FlaskClient, path: str, form: dict[str, str], kind: str
) -> None:
    answer = http.post(path, data=form, content_type=kind)

    assert answer.status_code == 413


@spec("EDG-03")
def test_a_question_with_hundreds_of_parameters_is_too_much(http: FlaskClient) -> None:
    answer = http.get("/authorize?" + "&".join(f"p{number}=1" for number in range(300)))

    assert answer.status_code == 413


@spec("EDG-03", "WAN-10")
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b"\xff\xfe",
        b'"\\ud800"',
    ],
    ids=["open", "half", "deep", "bytes", "surrogate"],
)
def test_json_that_is_none_or_too_deep_is_refused(http: FlaskClient, body: bytes) -> None:
    answer = http.post("/register", data=body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json["error"] in REGISTRATION_ERRORS


@spec("EDG-09", "CVE-2026-33504")
@pytest.mark.parametrize(
    "value", [NUL, "a\x00b", "' OR 1=1 --", '"; DROP TABLE account; --', "%", "_", "\\", "$1"]
)
def test_nothing_a_stranger_says_means_anything_to_the_database(strange: World, value: str) -> None:
    http = strange.http()
    browser = strange.browser()
    basic = base64.b64encode(f"{value}:{value}".encode()).decode()

    answers = [
        http.get("/authorize", query_string={"client_id": value, "redirect_uri": value}),
        http.post("/token", data={"grant_type": "refresh_token", "client_id": value}),
        http.post(
            "/token",
            data={"grant_type": "authorization_code", "code": value},
            headers={"Authorization": f"Basic {basic}"},
        ),
        http.get("/sign-in", query_string={"tx": value, "client_id": value}),
        http.get("/end_session", query_string={"client_id": value, "id_token_hint": value}),
        http.get(f"/register/{value}", headers={"Authorization": f"Bearer {value}"}),
        http.get(f"/receipts/{value}"),
        browser.submit(http.get("/sign-in"), "/sign-in", username=value, password=value),
    ]

    assert max(answer.status_code for answer in answers) < 500


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def strange(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A provider on either database."""
    url = ""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.fresh()
    made = make_world(Path(tmp_path_factory.mktemp("strange")), url)
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


# Methods and paths


@spec("EDG-06")
@pytest.mark.parametrize("path", ["/token", "/userinfo", "/jwks.json", "/sign-in", "/authorize"])
@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH", "CONNECT", "ODD"])
def test_a_method_that_is_not_meant_is_refused_and_the_right_ones_are_named(
    http: FlaskClient, method: str, path: str
) -> None:
    answer = http.open(path, method=method)

    assert answer.status_code == 405
    assert answer.headers["Allow"]
    assert method not in answer.headers["Allow"]


@spec("EDG-06")
def test_no_header_changes_the_method(http: FlaskClient) -> None:
    override = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST"}

    assert http.get("/token?grant_type=client_credentials", headers=override).status_code == 405
    assert http.get("/token?_method=POST").status_code == 405


@spec("EDG-06")
@pytest.mark.parametrize("path", ["/sign-in", "/account/sessions/end", "/authorize", "/token"])
def test_options_and_head_do_nothing(http: FlaskClient, path: str) -> None:
    options = http.options(path)
    head = http.head(path)

    assert options.status_code in {200, 204}
    assert options.data == head.data == b""


@spec("EDG-07")
@pytest.mark.parametrize(
    "path", ["/token/", "/token;x", "/token%2f", "/TOKEN", "/./token", "/x/../token", "/token%00"]
)
def test_an_address_that_is_almost_one_of_ours_is_none(http: FlaskClient, path: str) -> None:
    assert http.post(path, data={"grant_type": "client_credentials"}).status_code == 404


@spec("EDG-07")
def test_an_address_spelled_in_another_way_meets_the_same_checks(http: FlaskClient) -> None:
    plain = http.post("/token", data={"grant_type": "client_credentials"})
    spelled = http.post("/%74oken", data={"grant_type": "client_credentials"})

    assert (spelled.status_code, spelled.json) == (plain.status_code, plain.json)


@spec("EDG-07", "BRW-07")
@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/..%2fwire.py", "/static/%2e%2e/wire.py", "/static//etc/passwd"],
)
def test_no_file_but_ours_is_served(http: FlaskClient, path: str) -> None:
    assert http.get(path).status_code == 404


@spec("BRW-07")
def test_every_file_we_serve_is_ours_and_says_what_it_is(house: World, http: FlaskClient) -> None:
    kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    kinds |= {".png": "image/png", ".ico": "image/x-icon", ".md": "text/markdown"}
    folder = Path(str(house.app.static_folder))

    for file in folder.rglob("*.*"):
        answer = http.get(f"/static/{file.relative_to(folder)}")

        assert answer.headers["Content-Type"].startswith(kinds[file.suffix])
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@spec("BRW-08", "SES-CHK-01")
def test_no_page_of_ours_listens_to_messages_but_the_frame_that_is_there_for_it(
    house: World,
) -> None:
    folder = Path(str(house.app.static_folder))
    scripts = {file.name: file.read_text() for file in folder.rglob("*.js")}

    listening = {n for n, text in scripts.items() if "postMessage" in text or '"message"' in text}
    assert listening == {"check_session.js"}
    assert "fetch(" not in scripts["check_session.js"]
