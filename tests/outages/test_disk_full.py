"""The disk is full: nothing is said to be done that is not, what only reads goes on, and when
there is room again everything is as before.
"""

import resource
import sqlite3
import time
from pathlib import Path

import httpx
import pytest

from tests.outages.running import Running, running
from tests.support.spec import spec
from tests.support.world import PASSWORD, Rp, hidden


@pytest.mark.slow
@pytest.mark.timeout(120)
@spec("F-07", "REV-04", "REV-05", "P2", "CVE-2020-15223")
def test_a_full_disk_loses_nothing_and_takes_nothing_for_done(tmp_path: Path) -> None:
    with running(tmp_path) as op:
        rp = op.world.rp()
        early, during, late, spare = op.tokens(rp, 4)
        assert op.post("/revoke", rp, token=early["refresh_token"]).status_code == 200

        with op.limited(resource.RLIMIT_FSIZE, 1):
            refused = [
                op.post("/revoke", rp, token=during["refresh_token"]),
                op.post(
                    "/token", rp, grant_type="refresh_token", refresh_token=late["refresh_token"]
                ),
                sign_in(op),
            ]
            reads = [
                op.get("/jwks.json"),
                op.get("/.well-known/openid-configuration"),
                op.get("/userinfo", spare["access_token"]),
                op.post("/introspect", rp, token=spare["access_token"]),
                op.get("/readyz"),
            ]
        began = time.monotonic()
        while op.post("/revoke", rp, token=spare["refresh_token"]).status_code != 200:
            assert time.monotonic() < began + 5
        recovered = time.monotonic() - began

        assert [answer.status_code for answer in refused] == [503] * 3
        assert [answer.headers.get("Retry-After") for answer in refused] == ["1"] * 3
        assert [answer.status_code for answer in reads] == [200] * 5
        assert reads[3].json()["active"] is True
        alive = [refreshed(op, rp, t["refresh_token"]) for t in (early, during, late, spare)]
        assert alive == [False, True, True, False]
        print(f"revocations go on {recovered:.2f} s after there was room again")
    with sqlite3.connect(tmp_path / "idp.sqlite3") as store:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def refreshed(op: Running, rp: Rp, token: str) -> bool:
    return op.post("/token", rp, grant_type="refresh_token", refresh_token=token).status_code == 200


def sign_in(op: Running) -> httpx.Response:
    """Somebody signs in with a password."""
    with httpx.Client(base_url=op.issuer, timeout=20) as browser:
        form = hidden(browser.get("/sign-in").text, "/sign-in")
        return browser.post("/sign-in", data=form | {"username": "alice", "password": PASSWORD})


@pytest.mark.slow
@spec("F-07")
def test_no_memory_of_a_server_is_a_file_that_a_full_disk_could_not_keep(tmp_path: Path) -> None:
    with running(tmp_path, IDP_SERVER__WORKERS="2") as op:
        for path in ("/jwks.json", "/nowhere", "/sign-in"):
            op.get(path)

        mapped = {
            Path(line.split()[-1])
            for pid in op.servers[0].workers()
            for line in Path(f"/proc/{pid}/maps").read_text().splitlines()
            if "rw-s" in line and str(tmp_path) in line
        }

    # SQLite has the room of its own before it maps it.
    assert {path.name for path in mapped} <= {"idp.sqlite3-shm"}
