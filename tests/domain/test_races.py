"""Two at once: disabling beside signing in or renewing, and one name taken twice."""

import threading
from collections.abc import Callable

import pytest

from idp.domain.accounts import UsernameTaken
from idp.domain.sign_out import Because
from idp.store import db
from tests.support.spec import spec
from tests.support.world import PASSWORD, Browser, World, hidden

ROUNDS, RACERS = 12, 8
WHY = Because("disabled", "operator")


def at_once(*acts: Callable[[], None]) -> None:
    """All of them, as nearly at the same time as threads can."""
    ready = threading.Barrier(len(acts))
    faults: list[BaseException] = []

    def run(act: Callable[[], None]) -> None:
        ready.wait()
        try:
            act()
        except BaseException as fault:  # noqa: BLE001 - told to the test below
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def disable(world: World, sub: str) -> None:
    """What an operator's command does."""
    with world.app.app_context():
        row = world.op.accounts.find(sub)
        assert row is not None
        world.op.accounts.disable(row, world.clock.now)
        world.op.sign_outs.everywhere(sub, WHY, world.clock.now)
        db.session.commit()


def enable(world: World, sub: str) -> None:
    """So that only what was really ended stays dead."""
    with world.app.app_context():
        row = world.op.accounts.find(sub)
        assert row is not None
        world.op.accounts.enable(row, world.clock.now)
        db.session.commit()


@spec("CON-03", "ADM-03", "SES-07")
@pytest.mark.slow
def test_whoever_is_disabled_while_signing_in_is_not_signed_in(either: World) -> None:
    sub = either.person()
    alive = []

    for _ in range(ROUNDS):
        browser = either.browser()
        form = hidden(browser.http.get("/sign-in").text, "/sign-in")
        form |= {"username": "alice", "password": PASSWORD}
        at_once(
            lambda browser=browser, form=form: browser.http.post("/sign-in", data=form),  # type: ignore[misc]
            lambda: disable(either, sub),
        )
        enable(either, sub)
        alive.append(browser.http.get("/account").status_code)

    assert alive == [303] * ROUNDS


@spec("CON-03", "CON-02", "RFT-09", "CVE-2025-14559")
@pytest.mark.slow
def test_whoever_is_disabled_while_renewing_has_nothing_after_it(either: World) -> None:
    sub, rp = either.person(), either.rp()

    for _ in range(ROUNDS):
        held = either.browser().tokens(rp, scope="openid offline_access", prompt="consent")
        given: list[dict[str, str]] = []
        at_once(
            lambda held=held, given=given: given.append(rp.refresh(held["refresh_token"]).json),  # type: ignore[misc]
            lambda: disable(either, sub),
        )
        enable(either, sub)
        for token in (held, *given):
            if "access_token" in token:
                assert either.userinfo(token["access_token"]).status_code == 401
                assert rp.refresh(token["refresh_token"]).status_code == 400


@spec("CON-03", "COD-08", "CON-02")
@pytest.mark.slow
def test_whoever_is_disabled_while_a_code_is_redeemed_has_nothing_after_it(either: World) -> None:
    sub, rp = either.person(), either.rp()

    for _ in range(ROUNDS):
        browser: Browser = either.browser()
        code, given = browser.code(rp), list[dict[str, str]]()
        at_once(
            lambda b=browser, c=code, g=given: g.append(rp.redeem(c, b.verifier).json),  # type: ignore[misc]
            lambda: disable(either, sub),
        )
        enable(either, sub)
        for token in given:
            if "access_token" in token:
                assert either.userinfo(token["access_token"]).status_code == 401
                assert rp.refresh(token["refresh_token"]).status_code == 400


@spec("CON-04")
def test_of_those_who_take_one_name_at_once_one_has_it(either: World) -> None:
    taken: list[str] = []

    def take() -> None:
        with either.app.app_context():
            try:
                row = either.op.accounts.create("carol", PASSWORD, {}, either.clock.now)
                db.session.commit()
            except UsernameTaken:
                db.session.rollback()
            else:
                taken.append(row.id)

    at_once(*[take] * RACERS)

    with either.app.app_context():
        names = [row.username for row in either.op.accounts.list()]
    assert len(taken) == 1
    assert names == ["carol"]
