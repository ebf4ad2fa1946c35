"""Once means once: 32 racers in 4 processes, on SQLite and on PostgreSQL."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from idp.store import db
from tests.faults import bursts
from tests.support.holder import Holder
from tests.support.race import Race, at_real_time
from tests.support.services import free_port
from tests.support.spec import spec
from tests.support.world import World, make_world

ROOT = Path(__file__).parents[2]
BURSTS = 200


@pytest.mark.slow
@pytest.mark.timeout(1500)
@spec("RFT-03", "CON-01", "P3", "CVE-2026-1035")
def test_a_refresh_token_has_one_winner(
    raced: tuple[World, Race, dict[str, str]],
) -> None:
    world, race, _ = raced

    assert bursts.run(world, race, BURSTS, bursts.refresh_token) == []


@pytest.mark.slow
@pytest.mark.timeout(1500)
@spec("COD-02", "CON-01", "P3")
def test_a_code_has_one_winner_and_a_race_ends_what_it_bought(
    raced: tuple[World, Race, dict[str, str]],
) -> None:
    world, race, _ = raced

    assert bursts.run(world, race, BURSTS, bursts.code) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
@spec("RFC 9449 section 11.1", "DPO-05", "CON-01", "P3")
def test_a_proof_is_heard_once(raced: tuple[World, Race, dict[str, str]]) -> None:
    world, race, _ = raced
    robot = Holder.of(world.machine(grant_types=["client_credentials"]))

    for _ in range(BURSTS):
        at_real_time(world)
        form = {"grant_type": "client_credentials"}
        answers = race.run("/token", form, robot, DPoP=robot.proof())

        statuses = sorted(status for status, _, _ in answers)
        assert statuses == [200] + [400] * 31, answers


@pytest.mark.slow
@pytest.mark.timeout(600)
@spec("P2", "REV-05", "F-02", "CON-02")
@pytest.mark.parametrize("act", ["revoke", "sign-out"])
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_what_was_answered_survives_a_kill(
    request: pytest.FixtureRequest, tmp_path: Path, act: str, store: str
) -> None:
    import httpx

    url = request.getfixturevalue("postgres").fresh() if store == "postgresql" else ""
    port = free_port()
    issuer = f"http://localhost:{port}"
    world = make_world(tmp_path, url, IDP_ISSUER=issuer)
    who = world.person()
    rp = world.rp(post_logout_redirect_uris=["https://rp.test/bye"])
    environ = {k: v for k, v in os.environ.items() if not k.startswith("IDP_")} | {
        "IDP_DATA_DIR": str(tmp_path),
        "IDP_ISSUER": issuer,
        "IDP_PORT": str(port),
        "IDP_SECRET": "a secret that is only good for tests, and long",
        **({"IDP_DATABASE_URL": url} if url else {}),
    }
    for _ in range(3):
        at_real_time(world)
        browser = world.browser()
        tokens = browser.tokens(rp)
        server = serve(environ, port)
        try:
            if act == "revoke":
                answer = httpx.post(
                    f"{issuer}/revoke",
                    data={"token": tokens["refresh_token"]},
                    auth=(rp.client_id, rp.secret or ""),
                )
                assert answer.status_code == 200
            else:
                query = {
                    "id_token_hint": tokens["id_token"],
                    "post_logout_redirect_uri": "https://rp.test/bye",
                }
                answer = httpx.get(f"{issuer}/end_session", params=query)
                assert answer.status_code == 303
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()

        at_real_time(world)
        assert rp.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
        assert world.userinfo(tokens["access_token"]).status_code == 401
    with world.app.app_context():
        assert len(world.op.sign_outs.receipts.of_account(who)) == 3
        db.session.remove()
        db.engine.dispose()


def serve(environ: dict[str, str], port: int) -> "subprocess.Popen[bytes]":
    """The provider on its production server, in a process group of its own."""
    import time

    import httpx

    server = subprocess.Popen(
        [sys.executable, "-m", "idp.cli", "serve"],
        env=environ,
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        try:
            httpx.get(f"http://localhost:{port}/readyz", timeout=1)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return server
    raise AssertionError("the provider did not start")
