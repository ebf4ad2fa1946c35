"""Refresh with a grace: a lost answer is no theft, and a theft is no lost answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.settings import SettingsRefused, load
from idp.store import db
from tests.support.spec import spec
from tests.support.world import World, make_world

GRACE = 5


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A provider that gives confidential clients five seconds to ask again."""
    made = make_world(
        Path(tmp_path_factory.mktemp("grace")), IDP_LIFETIMES__ROTATION_GRACE=str(GRACE)
    )
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@spec("RFT-04")
def test_a_grace_of_more_than_ten_seconds_is_refused_and_none_is_the_default() -> None:
    with pytest.raises(SettingsRefused, match="rotation_grace"):
        load(environ={"IDP_LIFETIMES__ROTATION_GRACE": "11"})

    assert load(environ={}).lifetimes.rotation_grace == 0


@spec("RFT-04", "RFT-13", "RFT-03")
def test_who_lost_the_answer_gets_the_same_one_again(patient: World) -> None:
    rp = patient.rp()
    first = patient.browser().tokens(rp)["refresh_token"]

    lost = rp.refresh(first).json["refresh_token"]
    patient.clock.advance(seconds=GRACE - 1)
    again = rp.refresh(first).json["refresh_token"]

    assert again == lost
    assert rp.refresh(again).status_code == 200


@spec("RFT-13", "RFT-04")
def test_a_chain_never_forks(patient: World) -> None:
    rp = patient.rp()
    first = patient.browser().tokens(rp)["refresh_token"]
    second = rp.refresh(first).json["refresh_token"]
    third = rp.refresh(second).json["refresh_token"]

    late = rp.refresh(first)

    assert late.json["error"] == "invalid_grant"
    assert rp.refresh(third).json["error"] == "invalid_grant"


@spec("RFT-04", "RFT-02")
def test_after_the_grace_it_is_a_copy(patient: World) -> None:
    rp = patient.rp()
    first = patient.browser().tokens(rp)["refresh_token"]
    second = rp.refresh(first).json["refresh_token"]
    patient.clock.advance(seconds=GRACE)

    late = rp.refresh(first)

    assert late.json["error"] == "invalid_grant"
    assert rp.refresh(second).json["error"] == "invalid_grant"


@spec("RFT-04", "RFC 9700 section 4.14.2")
def test_a_public_client_has_no_grace(patient: World) -> None:
    app = patient.rp(token_endpoint_auth_method="none")
    first = patient.browser().tokens(app)["refresh_token"]
    second = app.refresh(first).json["refresh_token"]

    again = app.refresh(first)

    assert again.json["error"] == "invalid_grant"
    assert app.refresh(second).json["error"] == "invalid_grant"


@spec("RFT-04", "RFT-06", "CVE-2026-55672")
def test_the_grace_is_for_nobody_else(patient: World) -> None:
    rp, thief = patient.rp(), patient.rp("Thief")
    first = patient.browser().tokens(rp)["refresh_token"]
    second = rp.refresh(first).json["refresh_token"]

    stolen = thief.refresh(first)

    assert stolen.json["error"] == "invalid_grant"
    assert rp.refresh(second).status_code == 200


@spec("RFT-13", "RFT-02")
def test_without_a_grace_a_lost_answer_ends_the_line(world: World, alice: str) -> None:
    rp = world.rp()
    first = world.browser().tokens(rp)["refresh_token"]
    lost = rp.refresh(first).json["refresh_token"]

    again = rp.refresh(first)

    assert again.json["error"] == "invalid_grant"
    assert rp.refresh(lost).json["error"] == "invalid_grant"
