"""The guard travels light: a fresh environment with the wheel and what it needs, no more."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.support.spec import spec

ROOT = Path(__file__).parents[2]

USE = """
import sys
from datetime import UTC, datetime

import httpx

from idp.crypto import jose
from idp.guard import Guard, Refused
from idp.guard.asgi import AsgiGuard
from idp.guard.wsgi import WsgiGuard

signer = jose.Signer("k1", "ES256", jose.generate("ES256"))
jwks = {"keys": [{**signer.key.as_dict(private=False), "kid": "k1", "alg": "ES256"}]}
metadata = {"issuer": "https://op.test", "jwks_uri": "https://op.test/jwks.json"}


def answer(request):
    return httpx.Response(200, json=jwks if request.url.path == "/jwks.json" else metadata)


issued = int(datetime.now(UTC).timestamp())
claims = {"iss": "https://op.test", "aud": "https://api.test", "sub": "ann", "client_id": "rp"}
claims |= {"jti": "j", "iat": issued, "exp": issued + 60, "scope": "notes:read"}
token = jose.sign(signer, claims, typ="at+jwt")
http = httpx.Client(transport=httpx.MockTransport(answer))
guard = Guard("https://op.test", "https://api.test", http=http)
said = {"method": "GET", "url": "/notes", "freshness": "offline"}
assert guard.check([f"Bearer {token}"], ["notes:read"], **said).sub == "ann"
try:
    guard.check([f"Bearer {token}x"], ["notes:read"], **said)
except Refused as refused:
    assert refused.error == "invalid_token"
for name in ("flask", "sqlalchemy", "authlib", "redis", "pydantic"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    raise SystemExit(f"{name} is here")
print("good")
"""


@pytest.mark.slow
@spec("The guard needs no Flask, no SQLAlchemy and no Authlib")
def test_the_wheel_and_its_core_dependencies_are_enough_to_judge_a_token(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheels, place = tmp_path / "wheels", tmp_path / "env"
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(ROOT)]
    subprocess.run(build, check=True)
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    wheel = next(wheels.glob("idp-*.whl"))
    subprocess.run([python, *pip[1:], "install", str(wheel)], check=True)

    done = subprocess.run(
        [python, "-c", USE], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("good\n", "")
