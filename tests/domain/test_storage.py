"""A stolen database is not a stolen account (promise P6): a whole road, and then every row."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import select

from idp.protocol.registration import invite
from idp.store import Base, db
from tests.support.authenticator import Authenticator, Page
from tests.support.phone import Phone
from tests.support.spec import spec
from tests.support.world import CALLBACK, PASSWORD, Browser, World, hidden

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def walk(world: World) -> dict[str, str]:
    """Everything a person and their apps are handed on the way, by name."""
    world.person("alice", email="alice@example.com")
    rp, public = world.rp(), world.rp("Public", token_endpoint_auth_method="none")
    browser, seen = world.browser(), {"password": PASSWORD}
    asked = browser.authorize(rp, scope="openid offline_access", prompt="consent")
    seen["parked sign-in"] = asked.headers["Location"].partition("tx=")[2].partition("&")[0]
    seen["csrf token"] = hidden(browser.http.get("/sign-in").text, "/sign-in")["csrf_token"]
    seen["code"] = browser.code(rp, scope="openid offline_access")
    tokens = rp.redeem(seen["code"], browser.verifier).json
    renewed = rp.refresh(tokens["refresh_token"]).json
    seen |= {f"first {name}": tokens[name] for name in ("access_token", "refresh_token")}
    seen |= {f"next {name}": renewed[name] for name in ("access_token", "refresh_token")}
    seen["id token"] = tokens["id_token"]
    seen["public refresh token"] = browser.tokens(public)["refresh_token"]
    seen["unused code"] = browser.code(public)
    for name in ("__Host-idp_session", "__Host-idp_browser", "idp_device"):
        cookie = browser.http.get_cookie(name)
        assert cookie is not None
        seen[name] = cookie.value
    page, key = Page(browser.http), Authenticator()
    page.add(key)
    asked_key = page.ask("/passkeys/login/options")
    seen["passkey ceremony"] = asked_key["challenge"]
    seen["passkey"] = f"{key.private.private_numbers().private_value:x}"
    seen["client secret"] = rp.secret or ""
    seen |= second_factor(browser)
    seen |= register(world)
    with world.app.app_context():
        seen["invitation"] = invite(world.op, world.clock.now)
        db.session.commit()
    rp.post("/revoke", token=renewed["access_token"])
    bye = browser.http.get("/end_session")
    seen["sign-out question"] = hidden(bye.text, "/end_session/confirm").get("tx", seen["code"])
    return seen


def second_factor(browser: Browser) -> dict[str, str]:
    """An authenticator app, codes on paper, and two steps that were begun."""
    phone = Phone(browser.world.clock)
    page = browser.http.get("/account/security")
    for _ in range(2):
        begun = browser.submit(page, "/account/authenticator").headers["Location"]
    offered = browser.http.get(begun)
    phone.scan(offered.text)
    done = browser.submit(offered, "/account/authenticator/confirm", code=phone.code())
    phone.write_down(done.text)
    half = browser.world.browser().sign_in().headers["Location"]
    return {
        "authenticator secret": base64.urlsafe_b64encode(phone.key).decode(),
        "authenticator secret as shown": base64.b32encode(phone.key).decode(),
        "offer of an authenticator": begun.partition("setup=")[2],
        "half a sign-in": half.partition("step=")[2].partition("&")[0],
        "recovery code": phone.paper[0],
        "recovery code as typed": phone.paper[1].replace("-", ""),
    }


def register(world: World) -> dict[str, str]:
    """A client that registers itself, and proves itself by what its secret signs."""
    wish = {
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "client_secret_jwt",
        "grant_types": ["authorization_code", "client_credentials"],
    }
    made = world.http().post("/register", json=wish).json
    now = world.clock.now
    said = {
        "iss": made["client_id"],
        "sub": made["client_id"],
        "aud": "https://op.test",
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(minutes=1)).timestamp()),
        "jti": "j-" + "x" * 20,
    }
    key = OctKey.import_key(made["client_secret"])
    assertion = jwt.encode({"alg": "HS256"}, said, key)
    form = {"client_assertion_type": ASSERTION, "client_assertion": assertion}
    answer = world.http().post("/token", data={"grant_type": "client_credentials", **form})
    assert answer.status_code == 200, answer.text
    return {
        "shared secret": made["client_secret"],
        "registration token": made["registration_access_token"],
        "assertion": assertion,
        "client's own token": answer.json["access_token"],
    }


def dump(world: World) -> bytes:
    """Every value of every row, as bytes."""
    found: list[bytes] = []
    with world.app.app_context():
        for table in Base.metadata.sorted_tables:
            for row in db.session.execute(select(table)):
                found += [as_bytes(value) for value in row]
    return b"\n".join(found)


def as_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else json.dumps(value, default=str).encode()


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it stands, without its prefix, and as the bytes it stands for."""
    yield secret.encode()
    bare = re.sub(r"^[a-z]{1,3}_", "", secret)
    yield bare.encode()
    if "." in secret:
        yield secret.rsplit(".", 1)[-1].encode()  # a signature is what makes it worth anything
        return
    try:
        raw = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except ValueError:
        return
    if len(raw) >= 16:
        yield raw
        yield raw.hex().encode()


@spec("P6", "KEY-05", "RFT-14", "COD-06", "SES-01", "LOG-02")
def test_no_row_holds_anything_that_opens_anything(either: World) -> None:
    seen = walk(either)

    rows = dump(either)

    assert len(seen) >= 28
    assert {name: value for name, value in seen.items() if not value} == {}
    assert [
        name for name, value in seen.items() if any(form in rows for form in forms(value))
    ] == []


@spec("P6", "KEY-05", "JOS-12")
def test_private_keys_are_sealed_and_public_ones_are_only_public(either: World) -> None:
    with either.app.app_context():
        signer = either.op.keys.signer("ES256", either.clock.now)
        secret = signer.key.as_dict(private=True)["d"]

    rows = dump(either)

    assert str(secret).encode() not in rows
    assert base64.urlsafe_b64decode(str(secret) + "=") not in rows
    assert b'"d":' not in rows


@spec("P6")
def test_the_test_itself_finds_what_is_there(either: World) -> None:
    either.person("alice", email="alice@example.com", nickname="a canary in the mine")

    assert all(form in dump(either) for form in (b"a canary in the mine", b"alice@example.com"))
