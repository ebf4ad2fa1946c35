"""The policies at the guard: who is asked, and the stricter of then and now."""

import pytest

from idp.guard import Guard
from idp.policies.model import Asks
from tests.support.issuer import Issuer, call, refusal, says, silent, wait_until
from tests.support.spec import spec


def become(issuer: Issuer, guard: Guard, *policies: str) -> None:
    """The operator changes the policies of the API."""
    issuer.policies = list(policies)
    wait_until(lambda: guard.health()["policies"] == list(policies))


@pytest.mark.parametrize(
    ("policy", "asked"),
    [
        ("short_jwt", Asks.FEED),
        ("jti_denylist", Asks.FEED),
        ("sso", Asks.FEED),
        ("per_audience", Asks.FEED),
        ("allow_list", Asks.PROVIDER),
        ("sliding", Asks.PROVIDER),
        ("session_state", Asks.PROVIDER),
    ],
)
def test_each_policy_asks_whom_it_must(
    issuer: Issuer, guard: Guard, policy: str, asked: Asks
) -> None:
    minted_so = issuer.token(policies=[policy])
    assert call(guard, minted_so).asked is asked

    become(issuer, guard, policy)

    assert call(guard, issuer.token()).asked is asked


@spec("F-25")
def test_a_token_follows_the_stricter_of_then_and_now(issuer: Issuer, guard: Guard) -> None:
    strict, loose = issuer.token(policies=["sliding"]), issuer.token(policies=["short_jwt"])

    become(issuer, guard, "jti_denylist")
    assert call(guard, strict).asked is Asks.PROVIDER
    assert call(guard, loose).asked is Asks.FEED

    become(issuer, guard, "sliding")
    assert call(guard, loose).asked is Asks.PROVIDER


@spec("P5")
def test_a_policy_that_nobody_knows_is_refused(issuer: Issuer, guard: Guard) -> None:
    token = issuer.token()
    call(guard, token)
    assert refusal(guard, issuer.token(policies=["from_next_year"])).error == "invalid_token"
    assert refusal(guard, issuer.token(policies=["x"]), freshness="offline").status == 401

    become(issuer, guard, "from_next_year")

    assert refusal(guard, token).error == "invalid_token"


def test_the_issuer_may_name_a_policy_that_nobody_knows_and_is_believed(
    issuer: Issuer, guard: Guard
) -> None:
    issuer.more["policies"] = ["from_next_year"]

    assert refusal(guard, issuer.token(), freshness="introspect").error == "invalid_token"


def test_a_route_can_ask_more_than_the_token_and_offline_asks_nobody(
    issuer: Issuer, guard: Guard
) -> None:
    token = issuer.token()

    assert call(guard, token, freshness="introspect").asked is Asks.PROVIDER
    assert call(guard, token).asked is Asks.FEED
    issuer.end("sid", "s1")
    wait_until(lambda: guard.health()["seq"] == 1)
    assert call(guard, token, freshness="offline").asked is Asks.NOTHING


@spec("INT-04")
def test_what_the_issuer_says_is_over_is_over(issuer: Issuer, guard: Guard) -> None:
    token = issuer.token(policies=["allow_list"], jti="mine")
    call(guard, token)

    issuer.inactive.add("mine")

    assert refusal(guard, token).error == "invalid_token"


def test_a_token_that_was_minted_for_two_apis_is_not_one_per_audience(
    issuer: Issuer, guard: Guard
) -> None:
    both = ["https://api.test/v1", "https://other.test"]

    assert refusal(guard, issuer.token(aud=both, policies=["per_audience"])).status == 401
    assert call(guard, issuer.token(aud=both)).sub == "ann"


class TestRoles:
    """session_state: what a person may do stands at the issuer, and changes in mid-session."""

    def test_they_are_asked_for_once_and_again_when_they_change(
        self, issuer: Issuer, guard: Guard
    ) -> None:
        issuer.more["roles"] = ["reader", "editor"]
        token = issuer.token(policies=["session_state"], roles=["owner"])
        assert call(guard, token, roles=["editor"]).roles == {"reader", "editor"}
        assert call(guard, token, roles=["editor"]).asked is Asks.FEED
        assert issuer.asked["/introspect"] == 1

        issuer.more["roles"] = ["reader"]
        issuer.end("state", "ann", generation=1)
        wait_until(lambda: guard.health()["seq"] == 1)

        assert refusal(guard, token, roles=["editor"]).error == "insufficient_scope"
        assert refusal(guard, token, roles=["owner"]).status == 403
        assert call(guard, token, roles=["reader"]).roles == {"reader"}
        assert issuer.asked["/introspect"] == 2

    def test_a_change_is_seen_whatever_its_number(self, issuer: Issuer, guard: Guard) -> None:
        """Each API counts for itself, and the feed tells of all of them by one name."""
        token = issuer.token(policies=["session_state"])
        for seq, version in enumerate((7, 2, 2), start=1):
            issuer.more["roles"] = [f"after {seq} changes"]
            issuer.end("state", "ann", generation=version)
            wait_until(lambda seq=seq: guard.health()["seq"] == seq)  # type: ignore[misc]

            assert call(guard, token).roles == {f"after {seq} changes"}

    def test_a_change_for_somebody_else_changes_nothing(self, issuer: Issuer, guard: Guard) -> None:
        token = issuer.token(policies=["session_state"])
        call(guard, token)

        issuer.end("state", "bob", generation=1)
        wait_until(lambda: guard.health()["seq"] == 1)

        assert call(guard, token).asked is Asks.FEED

    def test_when_they_cannot_be_had_nobody_is_let_in(self, issuer: Issuer, guard: Guard) -> None:
        issuer.faults["/introspect"] = silent

        assert refusal(guard, issuer.token(policies=["session_state"])).status == 503

    @spec("INT-04", "C.4")
    def test_a_no_is_not_taken_for_what_the_person_may_do(
        self, issuer: Issuer, guard: Guard
    ) -> None:
        """The issuer knows before the feed has told, and says so at every call until then."""
        token = issuer.token(policies=["session_state"], jti="mine")
        issuer.inactive.add("mine")

        refusals = [refusal(guard, token).error for _ in range(3)]

        assert refusals == ["invalid_token"] * 3

    @spec("RFC 9068 section 2.2.3.1")
    def test_of_another_policy_they_are_what_the_token_says(
        self, issuer: Issuer, guard: Guard
    ) -> None:
        token = issuer.token(roles=["reader"])

        assert call(guard, token, scopes=(), roles=["reader"]).roles == {"reader"}
        assert refusal(guard, token, roles=["reader", "editor"]).status == 403

    def test_what_a_minimal_token_leaves_out_the_issuer_says(
        self, issuer: Issuer, guard: Guard
    ) -> None:
        issuer.more |= {"scope": "notes:read", "acr": "phr"}
        token = issuer.token(policies=["session_state"], scope=None)

        assert call(guard, token, acr_values=["phr"]).scopes == {"notes:read"}


class TestHandles:
    """Opaque tokens, which only the issuer can read (RFC 7662)."""

    @spec("INT-05", "RFC 7662 section 2.2")
    def test_the_issuer_is_asked_at_every_call(self, issuer: Issuer, guard: Guard) -> None:
        handle = issuer.handle(policies=["opaque"], jti="mine")

        assert call(guard, handle).asked is Asks.PROVIDER
        call(guard, handle)
        assert issuer.asked["/introspect"] == 2

        issuer.inactive.add("mine")
        assert refusal(guard, handle).error == "invalid_token"

    @spec("INT-04", "RSG-12")
    def test_an_answer_may_be_kept_for_a_while_and_an_end_counts_at_once(
        self, issuer: Issuer
    ) -> None:
        guard = issuer.guard(introspection_cache=10.0)
        guard.start()
        wait_until(lambda: guard.health()["fresh"])
        handle = issuer.handle()
        for _ in range(9):
            call(guard, handle)
        kept = issuer.asked["/introspect"]

        issuer.time.pass_by(11)
        call(guard, handle)
        again = issuer.asked["/introspect"]
        issuer.end("sid", "s1")
        wait_until(lambda: guard.health()["seq"] == 1)

        assert (kept, again) == (1, 2)
        assert refusal(guard, handle).error == "invalid_token"
        guard.close()

    @spec("RSG-12", "CVE-2026-33496", "RSG-05")
    @pytest.mark.parametrize(
        "claims", [{"aud": "https://other.test"}, {"iss": None}, {"exp": 5}, {"exp": None}]
    )
    def test_what_it_stands_for_is_judged_like_any_other_token(
        self, issuer: Issuer, guard: Guard, claims: dict[str, object]
    ) -> None:
        handle = issuer.handle(**claims)

        assert refusal(guard, handle).error == "invalid_token"
        assert refusal(guard, handle).error == "invalid_token"

    def test_one_that_nobody_knows_is_refused(self, guard: Guard) -> None:
        assert refusal(guard, "at_nobody_knows_it").error == "invalid_token"

    def test_a_route_that_asks_nobody_cannot_read_it(self, issuer: Issuer, guard: Guard) -> None:
        refused = refusal(guard, issuer.handle(), freshness="offline")

        assert refused.error == "invalid_token"
        assert issuer.asked["/introspect"] == 0

    @spec("P5")
    @pytest.mark.parametrize("body", [None, [], "active", {"active": "true"}, {"active": 1}])
    def test_an_answer_that_is_not_yes_is_no(
        self, issuer: Issuer, guard: Guard, body: object
    ) -> None:
        issuer.faults["/introspect"] = says(body=body)

        assert refusal(guard, issuer.handle()).status in (401, 503)
        assert refusal(guard, issuer.token(), freshness="introspect").status in (401, 503)


def test_an_answer_about_another_token_is_no_answer(issuer: Issuer, guard: Guard) -> None:
    issuer.more["jti"] = "another"

    assert refusal(guard, issuer.token(), freshness="introspect").error == "invalid_token"


@spec("INT-04")
def test_an_answer_about_another_token_says_nothing_of_this_person(
    issuer: Issuer, guard: Guard
) -> None:
    token = issuer.token(policies=["session_state"])
    issuer.more = {"jti": "another"}

    refusals = [refusal(guard, token).error for _ in range(3)]

    assert refusals == ["invalid_token"] * 3


@spec("RSG-11", "F-08")
def test_when_the_issuer_is_down_it_is_not_asked_by_everybody(issuer: Issuer, guard: Guard) -> None:
    issuer.faults["/introspect"] = silent
    token = issuer.token()
    for _ in range(50):
        assert refusal(guard, token, freshness="introspect").status == 503
    assert issuer.asked["/introspect"] == 3
    assert guard.health()["breaker_open"]

    del issuer.faults["/introspect"]
    issuer.time.pass_by(1)

    assert call(guard, token, freshness="introspect").sub == "ann"
    assert not guard.health()["breaker_open"]
