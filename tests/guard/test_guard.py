"""The guard: what it lets through, and what it does when nobody answers."""

from collections.abc import Iterator

import httpx
import pytest

from idp.crypto import jose
from idp.guard import Guard, Refused
from tests.support.spec import spec
from tests.support.world import API, World


@pytest.fixture
def scene(world: World) -> Iterator[tuple[World, Guard, str, str]]:
    """An API behind a guard that talks to the provider, a token for it, and one for another."""
    api = world.api(API, **{"notes:read": "Read"})
    world.api("https://other.test", **{"other:read": "Read"})
    world.person()
    rp = world.rp()
    http = httpx.Client(transport=httpx.WSGITransport(app=world.app))
    guard = Guard(
        "https://op.test",
        API,
        client_id=api.client_id,
        client_secret=api.secret,
        http=http,
        clock=world.clock,
    )
    mine = world.browser().tokens(rp, scope="openid notes:read")["access_token"]
    other = world.browser().tokens(rp, scope="openid other:read")["access_token"]
    yield world, guard, mine, other
    http.close()


def refusal(guard: Guard, *headers: str, scopes: tuple[str, ...] = ("notes:read",)) -> Refused:
    with pytest.raises(Refused) as caught:
        guard.check(headers, scopes)
    return caught.value


@spec("RFC 9068 section 4", "RFC 6750 section 3", "RSG-01", "RSG-02", "RSG-03", "RSG-05")
def test_a_good_token_is_let_through_and_others_are_told_why(
    scene: tuple[World, Guard, str, str],
) -> None:
    _, guard, mine, other = scene

    assert "notes:read" in guard.check([f"Bearer {mine}"], ["notes:read"]).scopes
    assert refusal(guard).challenge == f'Bearer realm="{API}"'
    assert refusal(guard, f"Bearer {mine}", f"Bearer {mine}").status == 400
    assert refusal(guard, f"Bearer {other}").error == "invalid_token"
    assert refusal(guard, f"Bearer {mine}x").error == "invalid_token"
    assert refusal(guard, "Bearer " + "x" * 20_000).error == "invalid_token"
    short = refusal(guard, f"Bearer {mine}", scopes=("notes:write",))
    assert (short.status, short.error) == (403, "insufficient_scope")


@spec("RSG-04", "V9.2.2")
def test_a_token_of_another_kind_is_refused(scene: tuple[World, Guard, str, str]) -> None:
    world, guard, _, _ = scene
    issued = int(world.clock.now.timestamp())
    claims = {"iss": "https://op.test", "aud": API, "sub": "x", "client_id": "c"}
    claims |= {"iat": issued, "exp": issued + 60, "jti": "j", "scope": "notes:read"}
    with world.app.app_context():
        signer = world.op.keys.signer("ES256", world.clock.now)

    for typ in ("JWT", "logout+jwt", "dpop+jwt"):
        assert refusal(guard, f"Bearer {jose.sign(signer, claims, typ=typ)}").status == 401


@spec("RSG-06")
@pytest.mark.parametrize("exp", [None, "9999999999", True, 1e300, -5])
def test_a_strange_expiry_is_a_clean_refusal(
    scene: tuple[World, Guard, str, str], exp: object
) -> None:
    world, guard, _, _ = scene
    claims = {"iss": "https://op.test", "aud": API, "sub": "x", "client_id": "c", "jti": "j"}
    claims |= {"iat": int(world.clock.now.timestamp()), "scope": "notes:read", "exp": exp}  # type: ignore[dict-item]
    with world.app.app_context():
        signer = world.op.keys.signer("ES256", world.clock.now)

    assert refusal(guard, f"Bearer {jose.sign(signer, claims, typ='at+jwt')}").status == 401


@spec("INT-04", "P4", "RSG-12")
def test_after_a_sign_out_the_same_token_is_refused_at_once(
    scene: tuple[World, Guard, str, str],
) -> None:
    from idp.domain.sign_out import Because
    from idp.store import db

    world, guard, mine, _ = scene
    guard.check([f"Bearer {mine}"], ["notes:read"])

    with world.app.app_context():
        who = world.op.accounts.list()[0].id
        world.op.sign_outs.everywhere(who, Because("test", "test"), world.clock.now)
        db.session.commit()

    assert refusal(guard, f"Bearer {mine}").error == "invalid_token"


@spec("RSG-11", "P5")
def test_when_nobody_answers_the_answer_is_no_for_now(
    scene: tuple[World, Guard, str, str],
) -> None:
    _, guard, mine, _ = scene
    guard.check([f"Bearer {mine}"], ["notes:read"])

    class Silent:
        def alive(self, token: str, claims: dict[str, object]) -> bool:
            from idp.guard.live import Unanswered

            raise Unanswered

    guard._live = Silent()

    said = refusal(guard, f"Bearer {mine}")
    assert (said.status, said.retry_after) == (503, 1)


@spec("RSG-07", "CVE-2026-48524")
def test_unknown_keys_are_asked_for_at_a_bounded_rate(world: World) -> None:
    asked: list[str] = []

    def count(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        body = {"issuer": "https://op.test", "jwks_uri": "https://op.test/jwks.json"}
        return httpx.Response(200, json=body if "well-known" in request.url.path else {"keys": []})

    http = httpx.Client(transport=httpx.MockTransport(count))
    guard = Guard("https://op.test", API, http=http, clock=world.clock)
    key = jose.generate("ES256")
    for n in range(50):
        token = jose.sign(jose.Signer(f"k{n}", "ES256", key), {"exp": 1}, typ="at+jwt")
        refusal(guard, f"Bearer {token}")

    assert asked.count("/jwks.json") == 1
