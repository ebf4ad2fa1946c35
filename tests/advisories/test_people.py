"""Names and addresses of people: who asks learns nothing, and one address is one address."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.store import db
from tests.cli.conftest import Operator, at
from tests.support.authenticator import Authenticator, Page
from tests.support.spec import spec
from tests.support.world import World, make_world

NEW = "quite another phrase of words"


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    made = at(tmp_path)
    made.world.person("alice")
    return made


@spec("OID-10", "CVE-2026-40574")
@pytest.mark.parametrize(
    "email",
    [
        "eve@evil.test@example.com",
        "eve@evil.test,@example.com",
        '"eve@evil.test"@example.com',
        "eve@example.com@",
        "@example.com",
        "eve@",
        "eve@example.com eve@evil.test",
        "eve@evil.test\u200b@example.com",
        "eve\uff20evil.test@example.com",
        "eve@evil.test>@example.com",
    ],
)
def test_an_address_has_one_at(operator: Operator, email: str) -> None:
    world = operator.world
    browser = world.browser()
    browser.sign_in()

    page = browser.submit(browser.http.get("/account/profile"), "/account/profile", email=email)
    made = operator.types("account", "add", "bob", "--claim", f"email={email}")

    with world.app.app_context():
        alice = world.op.accounts.find_by_username("alice")
        assert alice is not None
        assert "email" not in alice.claims
    assert page.status_code == 400
    assert made.exit_code == 1, made.output


@spec("PWD-12", "WAN-07", "CVE-2026-37982")
def test_a_link_that_was_used_adds_no_passkey_to_anybody(operator: Operator) -> None:
    world = operator.world
    path = str(operator.reads("account", "reset-password", "alice")["link"])
    path = path.removeprefix("https://op.test")
    victim, thief = world.browser(), world.browser()
    page = thief.http.get(path)
    victim.submit(victim.http.get(path), "/reset", new_password=NEW)
    victim.sign_in(password=NEW)
    asked = Page(victim.http).ask("/account/passkeys/options")
    answer = Authenticator().create(asked["publicKey"])

    late = thief.submit(page, "/reset", new_password="and yet another of them all")
    replayed = Page(thief.http).post("/account/passkeys/options", {})
    moved = Page(thief.http).keep(asked, answer)
    first = Page(victim.http).keep(asked, answer)
    second = Page(victim.http).keep(asked, answer)

    assert [a.status_code for a in (late, replayed, moved)] == [400, 403, 403]
    assert (first.status_code, second.status_code) == (200, 400)
    with world.app.app_context():
        alice = world.op.accounts.find_by_username("alice")
        assert alice is not None
        assert len(world.op.accounts.credentials(alice.id)) == 1


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, list[str]]]:
    """A provider whose receipts a person and an operator's program may list."""
    world = make_world(Path(tmp_path_factory.mktemp("listed")))
    world.person()
    person = world.browser().tokens(world.rp())["access_token"]
    auditor = world.machine("Auditor", scope="receipts.read", grant_types=["client_credentials"])
    given = auditor.post("/token", grant_type="client_credentials", scope="receipts.read").json
    yield world, [person, given["access_token"]]
    with world.app.app_context():
        db.session.remove()
        db.engine.dispose()


@spec("EDG-09", "CVE-2022-24124", "CVE-2026-33504")
@pytest.mark.parametrize("name", ["sub", "limit", "field", "order", "id'--"])
@pytest.mark.parametrize(
    "value", ["'", "x' OR '1'='1", "1; DROP TABLE account", "a\0b", "id) UNION SELECT 1", "%27"]
)
def test_a_filter_finds_what_it_names_and_nothing_else(
    listed: tuple[World, list[str]], name: str, value: str
) -> None:
    world, tokens = listed

    answers = [
        world.http().get(
            "/receipts", query_string={name: value}, headers={"Authorization": f"Bearer {token}"}
        )
        for token in tokens
    ]

    for answer in answers:
        assert answer.status_code == 400 or answer.json == {"receipts": []}, answer.text
    assert world.userinfo(tokens[0]).status_code == 200
