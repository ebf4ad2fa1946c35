"""A store that was damaged, or that belongs to somebody else: it opens nothing for anybody, and
whoever starts a provider on it is told what is wrong in a sentence.
"""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, update

from idp.app import create_app
from idp.store import db, writing
from idp.store.system import SigningKey
from tests.outages.running import ROOT, SECRET, environ_of
from tests.support.spec import spec
from tests.support.world import Rp, World, make_world

OTHER = "another secret that somebody has mistaken for it"


def idp(folder: Path, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "idp.cli", *words],
        env=environ_of(folder, "http://localhost:9999") | more,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """The folder of a provider that was made and ended."""
    world = make_world(tmp_path, IDP_ISSUER="http://localhost:9999", IDP_SECRET=SECRET)
    world.person()
    world.browser().tokens(world.rp())
    close(world)
    with sqlite3.connect(tmp_path / "idp.sqlite3") as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return tmp_path


def close(world: World) -> None:
    with world.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.mark.slow
@spec("F-23", "KEY-05")
@pytest.mark.parametrize("words", [("serve",), ("worker", "--once"), ("key", "rotate")])
def test_with_another_secret_nothing_starts_and_it_is_said_why(
    closed: Path, words: tuple[str, ...]
) -> None:
    done = idp(closed, *words, IDP_SECRET=OTHER)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "secret" in done.stderr


@pytest.mark.slow
@spec("F-23")
@pytest.mark.parametrize("damage", ["cut", "not a store", "flipped"])
@pytest.mark.parametrize("words", [("serve",), ("migrate",)])
def test_a_damaged_store_is_not_served(closed: Path, damage: str, words: tuple[str, ...]) -> None:
    store = closed / "idp.sqlite3"
    raw = bytearray(store.read_bytes())
    if damage == "cut":
        raw = raw[: len(raw) // 3]
    elif damage == "not a store":
        raw[:100] = b"x" * 100
    else:
        raw[4096 * 2 : 4096 * 40] = bytes(byte ^ 0xFF for byte in raw[4096 * 2 : 4096 * 40])
    store.write_bytes(raw)

    done = idp(closed, *words)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "database" in done.stderr


@spec("F-23", "KEY-04", "P5")
def test_a_key_in_the_place_of_another_signs_nothing(world: World, alice: str) -> None:
    rp, browser = world.rp(), world.browser()
    code = browser.code(rp)
    with world.app.app_context():
        writing(db.session)
        first = select(SigningKey.sealed_private).limit(1).scalar_subquery()
        db.session.execute(update(SigningKey).values(sealed_private=first))
        db.session.commit()
        op = create_app(world.app.extensions["idp.settings"], world.clock)
    other = World(op, world.clock)

    answer = Rp(other, rp.client_id, rp.secret).redeem(code, browser.verifier)

    assert answer.status_code == 500
    assert "access_token" not in answer.text
    with op.app_context():
        assert not other.op.keys.opens(world.clock.now)
        db.engine.dispose()
