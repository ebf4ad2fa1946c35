"""What an operator registers of how an app hears of sign-outs, and who may end others'."""

from tests.cli.conftest import Operator
from tests.support.spec import spec

CALLBACK = ("--redirect-uri", "https://rp.test/callback")


@spec("Front-Channel Logout 1.0 section 2", "Back-Channel Logout 1.0 section 2.2")
def test_an_app_has_an_address_for_each_way_and_wants_the_session_named(
    operator: Operator,
) -> None:
    added = operator.reads(
        *("client", "add", "Notes", *CALLBACK),
        *("--backchannel-logout-uri", "https://rp.test/back"),
        *("--frontchannel-logout-uri", "https://rp.test/front"),
        *("--initiate-login-uri", "https://rp.test/begin"),
    )

    said = operator.reads("client", "show", added["client_id"])
    assert said["backchannel_logout_uri"] == "https://rp.test/back"
    assert said["frontchannel_logout_uri"] == "https://rp.test/front"
    assert said["initiate_login_uri"] == "https://rp.test/begin"
    assert said["backchannel_logout_session_required"] is True
    assert said["frontchannel_logout_session_required"] is True
    assert "initiate_login_session_required" not in said


@spec("FCL-02")
def test_an_address_elsewhere_is_refused_with_a_sentence(operator: Operator) -> None:
    done = operator.types(
        *("client", "add", "Notes", *CALLBACK),
        *("--frontchannel-logout-uri", "https://evil.test/front"),
    )

    assert done.exit_code == 1
    assert "frontchannel_logout_uri is not where a redirect URI is" in done.output


@spec("Global Token Revocation section 3.2")
def test_a_security_service_is_added_with_one_command_and_may_ask(operator: Operator) -> None:
    http = operator.world.http()
    sub = operator.world.person("bob")
    added = operator.reads("client", "add", "Watcher", "--scope", "global_token_revocation")

    token = http.post(
        "/token",
        data={"grant_type": "client_credentials", "scope": "global_token_revocation"},
        auth=(added["client_id"], added["client_secret"]),
    ).json["access_token"]
    answer = http.post(
        "/global-token-revocation",
        json={"sub_id": {"format": "opaque", "id": sub}},
        headers={"Authorization": f"Bearer {token}"},
    )

    assert answer.status_code == 204
