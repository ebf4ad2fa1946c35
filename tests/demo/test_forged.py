"""Tokens with one flaw, brought to a relying party: as a logout token and as an ID token."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jws import extract_compact

from tests.demo.conftest import App
from tests.support.forged import ALGORITHMS, HEADERS, SHAPES, Good
from tests.support.hostile import RSA, Hostile
from tests.support.spec import spec

FLAWS = ALGORITHMS | HEADERS | SHAPES
CONFUSIONS = ("JOS-01", "JOS-02", "JOS-03", "JOS-04", "JOS-05", "JOS-07", "JOS-09", "JOS-10")
CONFUSIONS += ("CVE-2026-28802", "CVE-2026-27962", "CVE-2025-59420", "CVE-2024-37568")


def good(token: str) -> Good:
    read = extract_compact(token.encode())
    return Good(dict(read.protected), json.loads(read.payload), RSA)


@spec("BCL-07", "JOS-11", *CONFUSIONS)
@pytest.mark.parametrize("forge", FLAWS.values(), ids=FLAWS)
def test_a_flawed_logout_token_signs_nobody_out(
    app: App, op: Hostile, forge: Callable[[Good], str]
) -> None:
    app.signs_in()

    answer = app.is_told(forge(good(op.logout_token())))

    assert answer.status_code == 400
    assert app.is_signed_in()


@spec("RPD-03", *CONFUSIONS)
@pytest.mark.parametrize("forge", FLAWS.values(), ids=FLAWS)
def test_a_flawed_id_token_signs_nobody_in(
    app: App, op: Hostile, forge: Callable[[Good], str]
) -> None:
    sent = app.leaves()
    tokens: dict[str, Any] = {"id_token": forge(good(op.id_token()))}
    op.tokens = tokens

    answer = app.returns(state=sent["state"], iss=op.url, code="c0de")

    assert answer.status_code == 400
    assert not app.is_signed_in()


@spec("JOS-13", "CVE-2024-53861")
@pytest.mark.parametrize("change", ["{}/", "{}.evil.test", "x{}", "", "http://"])
def test_an_issuer_is_equal_or_another(app: App, op: Hostile, change: str) -> None:
    app.signs_in()

    answer = app.is_told(op.logout_token(iss=change.format(op.url)))

    assert answer.status_code == 400
    assert app.is_signed_in()


@spec("CLK-01")
@pytest.mark.parametrize("ahead", [70, 600])
def test_a_token_from_the_future_is_refused(app: App, op: Hostile, ahead: int) -> None:
    app.signs_in()
    issued = int(time.time()) + ahead

    answer = app.is_told(op.logout_token(iat=issued, exp=issued + 120))

    assert answer.status_code == 400
    assert app.is_signed_in()
