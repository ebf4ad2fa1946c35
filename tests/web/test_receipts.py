"""Receipts in words: what is over, what is still being told, and what lives until when."""

from datetime import timedelta

import pytest

from idp.domain.receipts import (
    ASKED,
    CLOSING,
    CONFIRMED,
    ENDED,
    FAILED,
    LAPSED,
    LIVES,
    RETRYING,
    SURVIVES,
    TELLING,
    TOLD,
    Concern,
)
from idp.web.receipts import is_waiting, preview, subjects, verdict
from tests.support.spec import spec
from tests.support.world import API, World


@spec("design P8")
@pytest.mark.parametrize(
    ("kind", "state", "words"),
    [
        ("app", TELLING, "Is being told …"),
        ("app", TOLD, "Was told, and has confirmed."),
        ("app", RETRYING, "Did not answer yet. The next try is at"),
        ("app", FAILED, "Could not be told."),
        ("app", ENDED, "Signed out here, but this app cannot be told."),
        ("frontchannel", ASKED,
         "Your browser was given the address at which this app signs you out."),
        ("line", ENDED, "Cannot renew its access any more."),
        ("offline", ENDED, "No longer stays connected when you are signed out."),
        ("offline", SURVIVES,
         "Stays connected, as you allowed; this is not ended by signing out here."),
        ("access", LIVES, "Access it was given before lives until"),
        ("access", CLOSING, "Access it was given before is over; the APIs hear of it right now."),
        ("access", ENDED, "Access it was given before is over."),
    ],
)  # fmt: skip
def test_a_receipt_says_what_became_of_it_and_no_more(
    world: World, kind: str, state: str, words: str
) -> None:
    until = world.clock.now + timedelta(minutes=5)
    concern = Concern(kind=kind, name="Notes", reference="r", state=state, until=until)

    with world.app.test_request_context():
        (subject,) = subjects([concern], world.clock.now, world.clock.now)

    assert (subject.name, subject.lines[0].words) == ("Notes", words)


@spec("design P8")
def test_a_token_that_has_run_out_since_is_not_said_to_live(world: World) -> None:
    until = world.clock.now + timedelta(minutes=5)
    concern = Concern(kind="access", name="Notes", reference="r", state=LIVES, until=until)

    with world.app.test_request_context():
        (subject,) = subjects([concern], world.clock.now, until)

    assert subject.lines[0].words == "Access it was given before has run out at"


def test_a_receipt_groups_what_concerns_one_app_and_waits_while_one_is_told(
    world: World,
) -> None:
    concerns = [
        Concern(kind="session", name="Firefox/145 Linux", reference="s", state=ENDED),
        Concern(kind="app", name="Notes", reference="a", state=TELLING),
        Concern(kind="line", name="Notes", reference="l", state=ENDED),
        Concern(kind="line", name="Notes", reference="m", state=ENDED),
    ]

    now = world.clock.now

    with world.app.test_request_context():
        found = subjects(concerns, now, now)
        before = preview(concerns)
        waiting = [is_waiting(some, now, now) for some in (concerns, concerns[2:])]

    assert [(s.name, len(s.lines)) for s in found] == [
        ("Sign-in: Firefox 145 on Linux", 1),
        ("Notes", 2),
    ]
    assert before == [
        "The sign-in: Firefox 145 on Linux",
        "Notes is signed out, and told so",
        "Notes can no longer renew its access",
    ]
    assert waiting == [True, False]


def access(state: str, audience: str, minutes: int, world: World) -> Concern:
    """What became of access to one API."""
    until = world.clock.now + timedelta(minutes=minutes)
    return Concern(
        kind="access", name="Notes", reference="r", state=state, until=until, audience=audience
    )


@spec("design P8")
def test_apis_are_named_where_they_do_not_fare_alike(world: World) -> None:
    world.api()
    world.api("https://other.test")
    unlike = [
        access(LIVES, "https://op.test", 5, world),
        access(CLOSING, API, 5, world),
        access(ENDED, "https://gone.test/v1", 5, world),
    ]
    alike = [access(ENDED, API, 5, world), access(ENDED, "https://other.test", 9, world)]
    now = world.clock.now

    with world.app.test_request_context():
        (named,), (same,) = subjects(unlike, now, now), subjects(alike, now, now)

    assert [line.words for line in named.lines] == [
        "Access to idp lives until",
        "Access to API is over; the APIs hear of it right now.",
        "Access to gone.test is over.",
    ]
    assert [line.words for line in same.lines] == ["Access it was given before is over."]


@spec("design P8")
def test_of_several_tokens_at_one_api_the_one_that_lives_longest_counts(world: World) -> None:
    world.api()
    rows = [access(ENDED, API, 9, world)]
    rows += [access(LIVES, API, minutes, world) for minutes in (4, 5, 3)]
    now = world.clock.now

    with world.app.test_request_context():
        (subject,) = subjects(rows, now, now)

    assert [line.until for line in subject.lines] == [now + timedelta(minutes=5)]


@spec("design P8", "design section 4")
def test_what_was_closing_is_over_when_no_guard_can_have_missed_it(world: World) -> None:
    closing, now = [access(CLOSING, API, 5, world)], world.clock.now
    later = now + world.op.rules.max_silence

    with world.app.test_request_context():
        (before,), (after,) = subjects(closing, now, now), subjects(closing, now, later)
        waiting = is_waiting(closing, now, now), is_waiting(closing, now, later)

    assert before.lines[0].words.endswith("the APIs hear of it right now.")
    assert after.lines[0].words == "Access it was given before is over."
    assert waiting == (True, False)


@spec("design P8", "design section 4")
def test_a_guard_has_heard_of_it_or_has_not(world: World) -> None:
    heard = Concern(kind="guard", name="Notes", reference="g", state=CONFIRMED)
    silent = Concern(kind="guard", name="Mail", reference="h", state=LAPSED)
    now = world.clock.now

    with world.app.test_request_context():
        found = subjects([heard, silent], now, now)

    assert [(subject.name, subject.lines[0].words) for subject in found] == [
        ("Guard: Notes", "Knows of it, and has confirmed."),
        ("Guard: Mail", "Did not answer. It trusts nothing that it knew before."),
    ]


@spec("design P8")
def test_all_of_it_is_said_in_a_sentence_or_two(world: World) -> None:
    def said(*states: tuple[str, str]) -> list[str]:
        rows = [
            Concern(kind=kind, name="Notes", reference="r", state=state, until=until)
            for kind, state in states
        ]
        with world.app.test_request_context():
            return [line.words for line in verdict(rows, world.clock.now)]

    until = world.clock.now + timedelta(minutes=5)

    assert said(("session", ENDED), ("app", TOLD), ("access", CLOSING)) == ["All of it is over."]
    assert said(("app", RETRYING), ("access", LIVES)) == [
        "Still being told: Notes.",
        "The last access that was given before lives until",
    ]
    assert said(("app", FAILED)) == said(("app", ENDED))
    assert said(("app", FAILED)) == ["May still show you as signed in: Notes."]


@spec("design P8")
@pytest.mark.parametrize(
    ("told", "words"),
    [
        (TOLD, ["All of it is over."]),
        (FAILED, ["Asked through your browser, which nobody can confirm: Notes.",
                  "May still show you as signed in: Notes."]),
    ],
)  # fmt: skip
def test_what_nobody_can_confirm_is_said_first_only_of_apps_that_have_not_confirmed_otherwise(
    world: World, told: str, words: list[str]
) -> None:
    rows = [
        Concern(kind="app", name="Notes", reference="r", state=told),
        Concern(kind="frontchannel", name="Notes", reference="r", state=ASKED),
    ]

    with world.app.test_request_context():
        said = [line.words for line in verdict(rows, world.clock.now)]

    assert said == words
