"""`idp signout` and `idp receipt`: an operator ends exactly what they saw, and can prove it."""

from pathlib import Path
from typing import Any

import pytest

from idp.crypto import jose
from tests.cli.conftest import Operator, at
from tests.support.holder import Holder
from tests.support.spec import spec
from tests.support.world import Browser, Rp

AWAY = "198.51.100.7"


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    made = at(tmp_path)
    made.world.person("alice")
    made.world.person("bob")
    return made


@pytest.fixture
def notes(operator: Operator) -> Rp:
    return operator.world.rp("Notes", backchannel_logout_uri="https://rp.test/logout")


def browser(operator: Operator, who: str, address: str = "192.0.2.1") -> Browser:
    made = operator.world.browser()
    made.http.environ_base["REMOTE_ADDR"] = address
    made.sign_in(who)
    return made


def signed_in(who: Browser) -> bool:
    return who.http.get("/account").status_code == 200


def ends(operator: Operator, *words: str) -> list[Any]:
    """What a sign-out with these words would end, which is what it then ends."""
    preview = operator.reads("signout", *words, "--preview")
    done = operator.reads("signout", *words, "--yes")
    assert [without_receipt(one) for one in done] == preview
    found: list[Any] = done
    return found


def without_receipt(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name != "receipt"}


@spec("design section 6")
def test_everything_of_one_person_is_ended(operator: Operator, notes: Rp) -> None:
    alice, bob = browser(operator, "alice"), browser(operator, "bob")
    tokens = alice.tokens(notes)

    (done,) = ends(operator, "--account", "alice")

    assert (done["username"], done["scope"]) == ("alice", "everywhere")
    kinds = [(line["what"], line["name"], line["state"]) for line in done["lines"]]
    assert ("app", "Notes", "telling") in kinds
    assert ("access", "Notes", "lives") in kinds
    assert notes.refresh(tokens["refresh_token"]).status_code == 400
    assert (signed_in(alice), signed_in(bob)) == (False, True)


@spec("design section 6")
def test_filters_narrow_each_other(operator: Operator, notes: Rp) -> None:
    home, away = browser(operator, "alice"), browser(operator, "alice", AWAY)
    bob = browser(operator, "bob", AWAY)
    kept, ended = home.tokens(notes), away.tokens(notes)
    bob.tokens(operator.world.rp("Photos"))

    (done,) = ends(operator, "--client", notes.client_id, "--ip", AWAY)

    assert (done["username"], done["scope"]) == ("alice", "selection")
    assert {line["name"] for line in done["lines"]} == {"Notes"}
    assert notes.refresh(ended["refresh_token"]).status_code == 400
    assert notes.refresh(kept["refresh_token"]).status_code == 200
    assert all(map(signed_in, (home, away, bob)))


@spec("design section 6")
def test_what_began_since_then_is_ended_for_everybody(operator: Operator, notes: Rp) -> None:
    before = browser(operator, "alice")
    operator.world.clock.advance(minutes=10)
    late, bob = browser(operator, "alice"), browser(operator, "bob")
    moment = operator.world.clock.now.isoformat()

    done = ends(operator, "--since", moment)

    assert sorted(one["username"] for one in done) == ["alice", "bob"]
    assert [signed_in(one) for one in (before, late, bob)] == [True, False, False]


@spec("design section 6", "DPO-11")
def test_what_is_bound_to_a_key_ends_and_nothing_else(operator: Operator) -> None:
    public = operator.world.rp(token_endpoint_auth_method="none", dpop_bound_access_tokens=True)
    alice = browser(operator, "alice")
    one, other = Holder.of(public), Holder.of(public)
    lost, kept = alice.tokens(one), alice.tokens(other)

    (done,) = ends(operator, "--jkt", one.prover.jkt)

    assert done["scope"] == "device"
    assert one.refresh(lost["refresh_token"]).json["error"] == "invalid_grant"
    assert other.refresh(kept["refresh_token"]).status_code == 200
    assert signed_in(alice)


def test_one_session_is_spared(operator: Operator) -> None:
    first, second = browser(operator, "alice"), browser(operator, "alice", AWAY)
    rows = operator.reads("account", "sessions", "alice")
    spared = next(row["session"] for row in rows if row["address"] == AWAY)

    (done,) = ends(operator, "--account", "alice", "--but", spared)

    assert done["scope"] == "elsewhere"
    assert (signed_in(first), signed_in(second)) == (False, True)


def test_without_yes_it_shows_and_asks(operator: Operator) -> None:
    alice = browser(operator, "alice")

    no = operator.types("signout", "--account", "alice", given="n\n")
    still = signed_in(alice)
    yes = operator.types("signout", "--account", "alice", given="y\n")

    assert "End all of this? [y/N]" in no.output
    assert "alice, everywhere" in no.output
    assert (no.exit_code, still) == (1, True)
    assert yes.exit_code == 0
    assert "receipt " in yes.output
    assert not signed_in(alice)


@pytest.mark.parametrize(
    "words",
    [
        "--yes",
        "--yes --but x",
        "--yes --since yesterday",
        "--yes --since 99999999999d",
        "--json --account alice",
    ],
)
def test_a_sign_out_that_says_too_little_is_no_command(operator: Operator, words: str) -> None:
    alice = browser(operator, "alice")

    done = operator.types("signout", *words.split())

    assert done.exit_code == 2
    assert signed_in(alice)


@pytest.mark.parametrize("words", ["--account bob", "--client nobody", "--session x", "--since 1h"])
def test_nothing_to_end_is_said_and_no_error(operator: Operator, words: str) -> None:
    done = operator.types("signout", *words.split(), "--yes")

    assert done.exit_code == 0
    assert done.output == "There is nothing to end.\n"


@spec("design P8")
def test_a_receipt_is_read_and_signed_at_the_command_line(operator: Operator, notes: Rp) -> None:
    browser(operator, "alice").tokens(notes)
    (done,) = operator.reads("signout", "--account", "alice", "--yes")
    keys = operator.world.op.keys

    listed = operator.reads("receipt", "list", "--account", "alice")
    said = operator.reads("receipt", "show", done["receipt"])
    signed = operator.types("receipt", "show", done["receipt"], "--jwt").output.strip()

    with operator.world.app.app_context():
        verifiers = keys.verification_keys(operator.world.clock.now)
    claims = jose.verify(signed, verifiers, ["ES256"], typ="receipt+jwt")
    assert [row["id"] for row in listed] == [done["receipt"]] == [said["id"]]
    assert claims["lines"] == said["lines"]
    assert (claims["iss"], claims["by"]) == ("https://op.test", "operator")
