"""The checks of a history, on histories written by hand. Times are in seconds."""

from typing import Any

import pytest

from tests.faults.checks import (
    DELIVERED,
    DURABLE,
    EXPIRED,
    FINAL,
    LIVENESS,
    MONOTONE,
    ONCE,
    RESURRECTION,
    REUSE,
    STRICT,
    Promises,
    check,
)
from tests.faults.history import FAIL, INFO, OK, SECOND, Op, Recorder, read

PROMISES = Promises(outlives={"opaque": 0, "sso": 3 * SECOND})


def op(name: str, key: str, began: float, ended: float, outcome: str = OK, **detail: Any) -> Op:
    times = {"began": int(began * SECOND), "ended": int(ended * SECOND)}
    return Op(proc="ann", op=name, key=key, outcome=outcome, detail=detail, **times)


def call(
    began: float,
    verdict: str = "accept",
    policy: str = "opaque",
    node: str = "n1",
    guard: str = "g",
) -> Op:
    said = {"family": "f", "policy": policy, "node": node, "verdict": verdict, "guard": guard}
    return op("call", "a1", began, began + 0.1, **said)


def refresh(key: str, began: float, gives: str = "", outcome: str = OK, **more: Any) -> Op:
    given: dict[str, Any] = {"error": "invalid_grant", "status": 400}
    if gives:
        given = {"refresh": gives, "access": f"of {gives}"}
    ended = more.pop("ended", began + 0.1)
    return op("refresh", key, began, ended, outcome, family="f", **given, **more)


def end(
    scope: str, key: str, began: float, ended: float, outcome: str = OK, number: str = ""
) -> Op:
    return op("end", key, began, ended, outcome, scope=scope, number=number)


SIGNED_IN = [
    op("sign_in", "s", 0, 0.1, account="ann"),
    op("authorize", "", 0.2, 0.3, family="f", session="s", account="ann", client="notes"),
    op("redeem", "f", 0.4, 0.5, family="f", refresh="r1", access="a1", sid="sid1"),
]


def rules(*more: Op) -> set[str]:
    return {each.rule for each in check([*SIGNED_IN, *more], PROMISES)}


def heard(jti: str = "j1", at: float = 3) -> Op:
    return op("notice", "sid1", at, at, jti=jti)


def test_a_quiet_life_breaks_nothing() -> None:
    lived = [call(1), refresh("r1", 1, "r2"), end("browser", "s", 2, 2.1), heard()]

    assert rules(*lived, call(2.2, "reject"), refresh("r2", 2.3, outcome=FAIL)) == set()


class TestSignOutIsFinal:
    @pytest.mark.parametrize(
        "ended", [("line", "f"), ("app", "s notes"), ("browser", "s"), ("account", "ann")]
    )
    def test_a_token_let_in_after_it_is_found_whatever_ended_it(
        self, ended: tuple[str, str]
    ) -> None:
        assert rules(end(*ended, 2, 2.1), call(2.2), heard()) >= {FINAL}

    def test_what_the_policy_allows_is_allowed_and_no_moment_more(self) -> None:
        over = end("line", "f", 2, 2.1)

        assert rules(over, call(5.0, policy="sso")) == set()
        assert rules(over, call(5.2, policy="sso")) == {FINAL}

    def test_a_call_that_began_before_the_answer_proves_nothing(self) -> None:
        assert rules(end("line", "f", 2, 2.3), call(2.2)) == set()

    @pytest.mark.parametrize("outcome", [FAIL, INFO])
    def test_a_sign_out_that_was_not_acknowledged_proves_nothing(self, outcome: str) -> None:
        assert rules(end("line", "f", 2, 2.1, outcome), call(3)) - {LIVENESS} == set()

    def test_a_sign_out_that_began_before_the_code_was_there_is_of_others(self) -> None:
        assert rules(end("account", "ann", 0.25, 0.4), call(1)) == set()

    def test_of_several_the_one_that_was_answered_first_counts(self) -> None:
        slow, quick = end("line", "f", 1, 9), end("line", "f", 2, 2.1)

        assert rules(slow, quick, call(3)) == {FINAL}


class TestResurrection:
    def test_a_refresh_of_what_is_over(self) -> None:
        assert rules(end("line", "f", 2, 2.1), refresh("r1", 2.2, "r2")) == {RESURRECTION}

    def test_a_code_from_a_session_that_is_over(self) -> None:
        late = op("authorize", "", 3, 3.1, family="g", session="s", account="ann", client="n")

        assert rules(end("browser", "s", 2, 2.1), heard(), late) == {RESURRECTION}

    def test_a_refresh_beside_the_sign_out_may_win_but_leaves_nothing_alive(self) -> None:
        race = [end("line", "f", 2, 2.3), refresh("r1", 2.1, "r2")]
        alive = op("leaf", "r2", 4, 4.1, family="f", active=True)

        assert rules(*race) == set()
        assert rules(*race, alive) == {RESURRECTION}


class TestAtMostOnce:
    def test_two_successors(self) -> None:
        assert rules(refresh("r1", 1, "r2"), refresh("r1", 1.05, "r3")) == {ONCE}

    def test_the_same_successor_inside_the_grace_and_only_there(self) -> None:
        grace = {"grace": 2 * SECOND}
        won = refresh("r1", 1, "r2", **grace)

        assert rules(won, refresh("r1", 2, "r2", **grace)) == set()
        assert rules(won, refresh("r1", 2, "r3", **grace)) == {ONCE}
        assert rules(won, refresh("r1", 3.2, "r2", **grace)) == {ONCE}

    def test_the_same_successor_twice_without_a_grace(self) -> None:
        assert rules(refresh("r1", 1, "r2"), refresh("r1", 1.05, "r2")) == {ONCE}

    def test_two_leaves(self) -> None:
        leaves = [op("leaf", key, 5, 5.1, family="f", active=True) for key in ("r2", "r3")]

        assert rules(*leaves) == {ONCE}


class TestReuse:
    def test_a_token_that_came_back_ends_its_family(self) -> None:
        came_back = [refresh("r1", 1, "r2"), refresh("r1", 2, outcome=FAIL)]

        assert rules(*came_back, call(2.05)) == set()
        assert rules(*came_back, call(2.2)) == {REUSE}
        assert rules(*came_back, refresh("r2", 2.2, "r3")) == {RESURRECTION}

    def test_a_loser_of_a_race_gives_nothing_away(self) -> None:
        lost = [refresh("r1", 1, "r2", ended=1.3), refresh("r1", 1.1, outcome=FAIL)]

        assert rules(*lost, call(2)) == set()

    def test_nobody_being_there_is_no_refusal(self) -> None:
        away = op("refresh", "r1", 2, 2.1, FAIL, family="f", status=503)

        assert rules(refresh("r1", 1, "r2"), away, call(3)) - {LIVENESS} == set()


def test_a_fault_that_hinders_a_sign_out_gives_it_the_longer_time_and_no_other_fault() -> None:
    promises = Promises(
        outlives={"opaque": 0},
        outlives_with={"opaque": SECOND},
        hindered_by=frozenset({"pause"}),
    )

    def found(fault: str, called: float) -> set[str]:
        lived = [*SIGNED_IN, op("fault", fault, 1, 2), end("line", "f", 1.5, 2.5), call(called)]
        return {each.rule for each in check(lived, promises)}

    assert found("pause", 3) == set()
    assert found("pause", 3.6) == {FINAL}
    assert found("kill", 3) == {FINAL}


def test_a_node_that_let_in_what_it_had_refused_is_found() -> None:
    refused = call(1, "reject")

    assert rules(refused, call(1.2)) == {MONOTONE}
    assert rules(refused, call(1.05)) == set()
    assert rules(refused, call(1.2, node="n2")) == set()


def test_what_comes_back_with_a_fault_is_called_by_its_name() -> None:
    lost = [end("line", "f", 2, 2.1), op("fault", "kill", 3, 4), call(4.1)]

    assert rules(*lost) == {FINAL, DURABLE}


class TestNotices:
    def test_an_app_that_never_hears_of_a_sign_out(self) -> None:
        assert rules(end("browser", "s", 2, 2.1)) == {DELIVERED}
        assert rules(end("line", "f", 2, 2.1)) == set()

    def test_a_notice_of_nothing(self) -> None:
        assert rules(heard()) == {DELIVERED}
        assert rules(end("browser", "s", 2, 2.1, INFO), heard()) == set()

    def test_the_same_notice_twice(self) -> None:
        over = end("browser", "s", 2, 2.1)

        assert rules(over, heard("j1"), heard("j2", 4)) == set()
        assert rules(over, heard("j1"), heard("j1", 4)) == {DELIVERED}


class TestStrictSignOut:
    OVER = end("line", "f", 2, 2.1, number="n")
    PROMISES = Promises(
        outlives={"sso": 3 * SECOND, "short": 3 * SECOND}, strict=frozenset({"sso"})
    )

    def found(self, *more: Op) -> list[tuple[str, str]]:
        lived = check([*SIGNED_IN, self.OVER, *more], self.PROMISES)
        return [(each.rule, each.said) for each in lived]

    def receipt(self, **guards: str) -> Op:
        return op("receipt", "f", 2.2, 2.3, of="n", guards=guards)

    @pytest.mark.parametrize("state", ["confirmed", "lapsed"])
    def test_a_guard_of_which_the_receipt_tells_lets_nobody_in_afterwards(self, state: str) -> None:
        late = call(2.15, policy="sso", guard="g")

        assert self.found(late) == []
        assert self.found(late, self.receipt(g=state)) == [
            (STRICT, f"sso, though its guard has {state}")
        ]

    def test_what_was_called_before_the_answer_proves_nothing(self) -> None:
        assert self.found(call(2.05, policy="sso", guard="g"), self.receipt(g="confirmed")) == []

    def test_a_guard_that_came_later_has_no_excuse_and_one_that_nobody_asks_has_its_own_time(
        self,
    ) -> None:
        assert self.found(call(2.5, policy="sso", guard="new"), self.receipt(g="confirmed"))
        assert not self.found(call(2.5, policy="short", guard="g"), self.receipt(g="confirmed"))

    def test_a_receipt_that_tells_of_no_guard_claims_nothing(self) -> None:
        assert self.found(call(2.5, policy="sso", guard="g"), self.receipt()) == []


def test_a_token_that_is_let_in_after_its_end_is_found_whoever_signed_out() -> None:
    promises = Promises(outlives={"short": SECOND}, lives={"short": 4 * SECOND})

    def found(began: float, verdict: str) -> set[str]:
        lived = [*SIGNED_IN, call(began, verdict, policy="short")]
        return {each.rule for each in check(lived, promises)}

    assert found(4.4, "accept") == set()
    assert found(4.6, "reject") == set()
    assert found(4.6, "accept") == {EXPIRED}


class TestLiveness:
    FAULT = op("fault", "kill_server", 3, 4, hit="9000")

    def found(self, *ops: Op) -> list[str]:
        found = check([*SIGNED_IN, *ops], PROMISES)
        return [each.said for each in found if each.rule == LIVENESS]

    def failed(self, count: int, at: float = 9, **more: Any) -> list[Op]:
        said: dict[str, Any] = {"family": "f", "policy": "sso", "node": "n1", "status": 503} | more
        return [op("call", f"x{n}", at, at + 0.1, FAIL, **said) for n in range(count)]

    def good(self, count: int, at: float = 9) -> list[Op]:
        return [call(at, policy="sso") for _ in range(count)]

    def test_two_failures_are_borne_and_a_third_only_among_thousands(self) -> None:
        assert not self.found(*self.failed(2))
        assert self.found(*self.failed(3), *self.good(2_000))
        assert not self.found(*self.failed(3), *self.good(3_000))

    def test_the_provider_is_not_excused_by_how_much_the_apis_are_called(self) -> None:
        lost = [refresh(f"r{n}", 9, outcome=INFO) for n in range(3)]

        assert self.found(*lost, *self.good(5_000))

    def test_right_after_a_fault_whoever_was_hit_may_fail_and_three_seconds_later_nobody(
        self,
    ) -> None:
        lost = [refresh(f"r{n}", 6, outcome=INFO, asked="9000") for n in range(9)]
        late = [refresh(f"r{n}", 7.2, outcome=INFO, asked="9000") for n in range(9)]

        assert not self.found(self.FAULT, *lost)
        assert self.found(self.FAULT, *late)

    @pytest.mark.parametrize(
        ("hit", "spared", "struck"),
        [
            ("9000", {"policy": "sso"}, {"policy": "opaque"}),
            ("redis", {"policy": "sso"}, {"policy": "sso", "bound": True}),
            ("courier", {"policy": "opaque"}, None),
        ],
    )
    def test_whoever_does_not_need_what_was_hit_goes_on(
        self, hit: str, spared: dict[str, Any], struck: dict[str, Any] | None
    ) -> None:
        fault = op("fault", "a fault", 3, 4, hit=hit)

        assert self.found(fault, *self.failed(3, 3.5, **spared))
        if struck is not None:
            assert not self.found(fault, *self.failed(3, 3.5, **struck))

    def test_without_the_store_nobody_is_sure_to_be_answered(self) -> None:
        fault = op("fault", "restart_postgres", 3, 4, hit="store")

        assert not self.found(fault, *self.failed(9, 3.5))

    def test_the_other_server_goes_on(self) -> None:
        def lost(port: str) -> list[Op]:
            return [refresh(f"r{n}", 3.5, outcome=INFO, asked=port) for n in range(3)]

        assert self.found(self.FAULT, *lost("9001"))
        assert not self.found(self.FAULT, *lost("9000"))

    def test_beside_two_faults_at_once_nothing_is_asked(self) -> None:
        other = op("fault", "pause_redis", 3.2, 4.2, hit="redis")

        assert not self.found(self.FAULT, other, *self.failed(3, 3.5))


def test_a_recorder_knows_what_never_ended(tmp_path: Any) -> None:
    file = tmp_path / "history.jsonl"
    recorder = Recorder(file)
    with recorder.doing("ann", "refresh", "r1", family="f") as doing:
        doing.ok(refresh="r2")
    with pytest.raises(OSError, match="away"), recorder.doing("ann", "end", "f", scope="line"):
        raise OSError("away")
    recorder.close()
    text = file.read_text()
    file.write_text("".join(text.splitlines(keepends=True)[:-1]))

    first, second = read([file])

    assert (first.outcome, first["refresh"], first["family"]) == (OK, "r2", "f")
    assert (second.op, second.outcome) == ("end", INFO)
