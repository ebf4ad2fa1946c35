"""What an operator may choose, and what becomes of live tokens when they choose anew."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from idp.cli import idp
from idp.policies import POLICIES, Contradiction, Draft, Ends, Policy, PolicySet, Presented
from idp.settings import SettingsRefused, load
from idp.store import db
from tests.policies.conftest import Signed, Stage
from tests.support.spec import spec
from tests.support.world import CALLBACK

EVERY = list(POLICIES.values())
AT_APIS = [policy for policy in EVERY if policy.for_access]
CONTRADICTIONS = sorted(
    {tuple(sorted((policy.name, other))) for policy in EVERY for other in policy.excludes}
)


def is_live(stage: Stage, signed: Signed) -> bool:
    """What the API is told when it asks."""
    api = stage.world.machine("API", grant_types=["client_credentials"], serves=[signed.resource])
    return bool(api.introspect(signed.given["access_token"])["active"])


def alone(stage: Stage, signed: Signed, policy: Policy) -> bool:
    """Whether the token would be good if there were only this policy."""
    with stage.world.app.app_context():
        op, now = stage.world.op, stage.world.clock.now
        standing = op.tokens.standing(signed.access, now)
        return policy.check(signed.access.facts, signed.proven, standing) is None


@spec("design section 4")
@pytest.mark.parametrize("old", AT_APIS, ids=lambda policy: policy.name)
@spec("F-25")
def test_live_tokens_follow_the_stricter_of_old_and_new(stage: Stage, old: Policy) -> None:
    signed = stage.signs_in((old.name,))
    verdicts, expected = {}, {}

    for new in AT_APIS:
        stage.change(signed.resource, (new.name,))
        verdicts[new.name] = is_live(stage, signed)
        expected[new.name] = alone(stage, signed, old) and alone(stage, signed, new)

    assert verdicts == expected
    assert verdicts[old.name] is True
    assert verdicts["short_jwt"] is True


@spec("design section 4")
@pytest.mark.parametrize("old", AT_APIS, ids=lambda policy: policy.name)
@spec("F-25")
def test_what_the_old_policy_refuses_no_new_one_lets_in(stage: Stage, old: Policy) -> None:
    signed = stage.signs_in((old.name,))
    access, stranger = signed.access, Presented(resource=signed.resource)
    shaped = old.draft(Draft(lifetime=timedelta(minutes=5), audiences=("a",), jkt="k"))

    with stage.world.app.app_context():
        tokens, now = stage.world.op.tokens, stage.world.clock.now
        tokens.issued.forget(access, now)
        alone_refuses = old.check(access.facts, stranger, tokens.standing(access, now)) is not None
        let_in = [
            new.name for new in AT_APIS if tokens.judge(access, stranger, (new.name,), now) is None
        ]
        db.session.commit()

    assert alone_refuses is (shaped.listed or old.binds)
    if alone_refuses:
        assert let_in == []


@spec("P4")
@pytest.mark.parametrize("old", AT_APIS, ids=lambda policy: policy.name)
def test_after_a_sign_out_the_quicker_of_old_and_new_has_ended_them(
    stage: Stage, old: Policy
) -> None:
    signed = stage.signs_in((old.name,))
    signed.signs_out()

    for new in AT_APIS:
        stage.change(signed.resource, (new.name,))
        ends = PolicySet.named((old.name, new.name)).ends
        good = alone(stage, signed, old) and alone(stage, signed, new)

        assert is_live(stage, signed) is False
        if ends in (Ends.AT_ONCE, Ends.FEED):
            assert not good, new.name


@pytest.mark.parametrize("policy", EVERY, ids=lambda policy: policy.name)
def test_who_contradicts_whom_is_mutual_and_known(policy: Policy) -> None:
    assert policy.name not in policy.excludes
    assert policy.excludes <= set(POLICIES)
    for other in policy.excludes:
        for pair in ((policy.name, other), (other, policy.name)):
            with pytest.raises(Contradiction, match="contradict each other"):
                PolicySet.named(pair).agreed()


@pytest.mark.parametrize("pair", CONTRADICTIONS, ids="+".join)
def test_a_contradiction_is_refused_at_start_with_a_sentence(pair: tuple[str, str]) -> None:
    with pytest.raises(SettingsRefused, match=r"policies: .* contradict each other: .*\."):
        load(environ={"IDP_POLICIES__RESOURCE": ",".join(pair)})


@pytest.mark.parametrize("pair", CONTRADICTIONS, ids="+".join)
def test_a_contradiction_is_refused_at_the_command_line(
    stage: Stage, pair: tuple[str, str], tmp_path: Path
) -> None:
    environ = {
        "IDP_DATABASE_URL": str(stage.world.app.config["SQLALCHEMY_DATABASE_URI"]),
        "IDP_DATA_DIR": str(tmp_path),
        "IDP_ISSUER": "https://op.test",
        "IDP_SECRET": "a secret that is only good for tests, and long",
    }
    words = ["resource", "add", "https://new.test", "--policy", pair[0], "--policy", pair[1]]

    done = CliRunner(env=environ).invoke(idp, words)

    assert done.exit_code == 1
    assert "contradict each other" in done.output


@pytest.mark.parametrize("policy", EVERY, ids=lambda policy: policy.name)
def test_what_is_named_by_who_cannot_have_it_is_refused_with_a_sentence(policy: Policy) -> None:
    wrong = [] if policy.for_access else ["RESOURCE"]
    wrong += [] if policy.for_lines else ["CLIENT"]

    for whose in wrong:
        with pytest.raises(SettingsRefused, match=f"{policy.name} is not a policy that a"):
            load(environ={f"IDP_POLICIES__{whose}": policy.name})


@spec("RFC 7591 section 3.2.2")
@pytest.mark.parametrize("policy", EVERY, ids=lambda policy: policy.name)
def test_a_client_that_registers_itself_names_only_what_a_client_can_have(
    stage: Stage, policy: Policy
) -> None:
    wish = {"redirect_uris": [CALLBACK], "policies": [policy.name]}

    answer = stage.world.http().post("/register", json=wish)

    if policy.for_lines:
        assert answer.status_code == 201
        assert json.loads(answer.text)["policies"] == [policy.name]
    else:
        assert answer.status_code == 400
        assert answer.json["error"] == "invalid_client_metadata"
        assert "is not a policy that a client can have" in answer.json["error_description"]
