"""`idp policies compare`: what it says follows from what was measured, and from nothing else."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from idp.cli.compare.figures import Comparison, Outage, Row, Spread, comparison_of
from idp.cli.compare.page import page
from idp.cli.compare.relay import commands
from idp.cli.compare.words import duration, outage, tables, tell
from idp.policies import POLICIES
from tests.cli.conftest import Operator
from tests.docs.readme import ROOT


@pytest.fixture
def kept() -> Comparison:
    """The run that the documentation shows."""
    return comparison_of(json.loads((ROOT / "docs" / "policies.json").read_text()))


def row(kept: Comparison, name: str) -> Row:
    return next(row for row in kept.rows if row.policy == name)


def test_a_run_survives_being_kept(kept: Comparison) -> None:
    assert comparison_of(json.loads(json.dumps(kept.as_data()))) == kept


def test_the_tables_have_every_policy_and_the_page_needs_nothing_else(kept: Comparison) -> None:
    text, html = tables(kept), page(kept)

    assert [name for name in POLICIES if len(re.findall(rf"^{name}\b", text, re.M)) != 3] == []
    assert [name for name in POLICIES if html.count(f"<h3>{name}") != 1] == []
    assert re.findall(r"(?:src|href|url)\s*[=(]", html) == []
    assert "<script" not in html


def test_what_a_thief_got_is_told_by_what_was_seen(kept: Comparison) -> None:
    seen = row(kept, "sso")
    assert seen.thief is not None
    assert seen.sign_out is not None
    quiet = replace(seen.sign_out, let_through=0)
    late = replace(seen.sign_out, let_through=3, took=Spread(5, 40, 41))
    refused = replace(seen.thief, access_worked=False)
    rotated = replace(seen.thief, owner_kept_line_after_new=False, loot_ended=True)
    keyed = replace(seen.thief, new_refresh_worked=False, old_refresh_worked=False)

    def access(**more: object) -> str:
        return tell(replace(seen, **more)).access  # type: ignore[arg-type]

    def refresh(**more: object) -> str:
        return tell(replace(seen, **more)).refresh  # type: ignore[arg-type]

    assert access(sign_out=quiet) == "the API, until the sign-out"
    assert access(sign_out=late) == "the API, until 41 ms after the sign-out"
    assert access(thief=refused).startswith("nothing")
    assert (
        refresh(thief=rotated)
        == "new tokens, until the owner renews; then the line ends, theirs too"
    )
    assert refresh(thief=keyed).startswith("nothing")


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (None, "-"),
        (Outage(None, 200, 5.0, recovered=True), "goes on"),
        (Outage(0.01, 503, 5.0, recovered=True), "refuses at once (503)"),
        (Outage(2.94, 503, 5.0, recovered=True), "refuses after 2.9 s (503)"),
        (Outage(2.94, 503, 5.0, recovered=False), "refuses after 2.9 s (503); and did not recover"),
    ],
)
def test_an_outage_in_words(seen: Outage | None, said: str) -> None:
    assert outage(seen) == said


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(0.0, "0 ms"), (0.4, "<1 ms"), (12.3, "12 ms"), (999.4, "999 ms"), (4912, "4.9 s")],
)
def test_a_time_in_words(milliseconds: float, said: str) -> None:
    assert duration(milliseconds) == said


def test_the_spread_of_several_rounds() -> None:
    assert Spread.of([0.003, 0.001, 0.002]) == Spread(2.0, 3.0, 3.0)
    assert Spread.of([i / 1000 for i in range(1, 201)]) == Spread(100.5, 198.0, 200.0)


def test_what_guards_ask_of_redis_is_counted_by_name() -> None:
    said = b"*2\r\n$3\r\nget\r\n$5\r\nidp:x\r\n*1\r\n$4\r\nPING\r\n"

    assert commands(said) == [b"GET", b"PING"]


@pytest.mark.slow
def test_a_real_run_measures_and_leaves_nothing_behind(operator: Operator, tmp_path: Path) -> None:
    before = operator.reads("account", "list"), operator.reads("client", "list")
    words = ["policies", "compare", "--calls", "20", "--rounds", "2", "--json"]
    words += ["--policy", "sso", "--policy", "device_bound", "--policy", "opaque"]

    done = operator.types(*words, "--html", str(tmp_path / "page.html"))

    assert done.exit_code == 0, done.output
    found = comparison_of(json.loads(done.stdout))
    sso, bound, opaque = found.rows
    for seen in found.rows:
        assert seen.sign_out is not None
        assert seen.sign_out.never_refused == 0
        assert seen.sign_out.refresh_refused
        assert seen.provider_down is not None
        assert (seen.provider_down.then, seen.provider_down.recovered) == (503, True)
    assert opaque.cost is not None
    assert sso.cost is not None
    assert (opaque.cost.provider_calls, sso.cost.provider_calls) == (1, 0)
    assert bound.thief is not None
    assert (bound.thief.access_worked, bound.thief.new_refresh_worked) == (False, False)
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert (operator.reads("account", "list"), operator.reads("client", "list")) == before
