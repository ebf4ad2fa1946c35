"""The SSF transmitter plan: metadata, and streams made, changed and removed (B.12.1)."""

import re

import pytest
from joserfc.jwk import KeySet

from tests.conformance.marks import module
from tests.conformance.plans import Variant
from tests.conformance.receiver import POLL, PUSH, Receiver, fetched, receiving_client
from tests.support.spec import spec
from tests.support.world import World

ENDPOINTS = ("configuration", "status", "add_subject", "remove_subject", "verification")
NOBODYS = "Bearer invalid"


def receiver_of(op: World) -> Receiver:
    """A client of its own, with a token."""
    rp = receiving_client(op)
    return Receiver(op, rp, fetched(rp))


@module("openid-ssf-transmitter-metadata")
@spec("OpenID Shared Signals Framework 1.0 section 7")
def test_the_metadata_are_what_receivers_can_read(op: World, variant: Variant) -> None:
    answer = op.http().get("/.well-known/ssf-configuration")
    said = answer.json

    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert re.fullmatch(r"1_0(-ID\d+)?", said["spec_version"])
    assert said["issuer"] == op.op.rules.issuer
    assert set(said["delivery_methods_supported"]) == {PUSH, POLL}
    assert all(said[f"{name}_endpoint"].startswith("https://") for name in ENDPOINTS)
    assert said["authorization_schemes"] == [{"spec_urn": "urn:ietf:rfc:6749"}]
    assert said["default_subjects"] in ("ALL", "NONE")
    assert [name for name, value in said.items() if value == []] == []
    path = said["jwks_uri"].removeprefix(said["issuer"])
    assert KeySet.import_key_set(op.http().get(path).json).keys


@module("openid-ssf-stream-control-happy-path")
@spec("OpenID Shared Signals Framework 1.0 section 8.1.1")
def test_a_stream_is_made_read_changed_replaced_and_removed(receiver: Receiver) -> None:
    made = receiver.creates()
    name = made["stream_id"]
    read = receiver.streams("GET", query_string={"stream_id": name})
    both = receiver.streams("GET")
    changed = receiver.streams("PATCH", json={"stream_id": name, "description": "another"})
    whole = receiver.asked() | {"stream_id": name, "events_requested": made["events_supported"]}
    replaced = receiver.streams("PUT", json=whole)
    removed = receiver.streams("DELETE", query_string={"stream_id": name})

    assert (read.status_code, receiver.sound(read)) == (200, made)
    assert (both.status_code, both.json) == (200, [made])
    assert (changed.status_code, receiver.sound(changed)) == (
        200,
        made | {"description": "another"},
    )
    assert replaced.status_code == 200
    assert receiver.sound(replaced)["events_delivered"] == made["events_supported"]
    assert (removed.status_code, removed.data) == (204, b"")
    assert receiver.streams("GET").json == []


@module("openid-ssf-stream-control-happy-path")
@spec("OpenID Shared Signals Framework 1.0 section 8.1.2")
def test_a_stream_is_held_back_and_disabled_and_let_run(receiver: Receiver) -> None:
    name = receiver.creates()["stream_id"]
    said = []
    for status in ("paused", "disabled", "enabled"):
        body = {"stream_id": name, "status": status, "reason": "the suite wants it"}
        answer = receiver.call("status_endpoint", json=body)
        read = receiver.call("status_endpoint", "GET", query_string={"stream_id": name})
        said.append((answer.status_code, answer.json["status"], read.status_code, read.json))

    assert [(one[0], one[2]) for one in said] == [(200, 200)] * 3
    assert [one[1] for one in said] == ["paused", "disabled", "enabled"]
    assert said[0][3] == {"stream_id": name, "status": "paused", "reason": "the suite wants it"}


@module("openid-ssf-stream-control-error-create-stream-with-broken-input")
def test_broken_json_makes_no_stream(receiver: Receiver) -> None:
    answer = receiver.streams("POST", data=";{ broken", content_type="application/json")

    assert answer.status_code == 400
    assert receiver.streams("GET").json == []


@module("openid-ssf-stream-control-error-create-stream-with-invalid-token")
@module("openid-ssf-stream-control-error-read-stream-with-invalid-token")
@module("openid-ssf-stream-control-error-replace-stream-with-invalid-token")
@module("openid-ssf-stream-control-error-delete-stream-with-invalid-token")
@module("openid-ssf-stream-control-error-update-stream-with-invalid-token")
@spec("RFC 6750 section 3.1")
@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "PATCH", "DELETE"])
def test_a_bad_token_is_refused_before_anything_is_looked_at(
    receiver: Receiver, method: str
) -> None:
    name = receiver.creates()["stream_id"]
    known = {} if method in ("GET", "DELETE") else {"json": receiver.asked() | {"stream_id": name}}
    query = {"stream_id": name}

    answers = [
        receiver.streams(method, headers={"Authorization": NOBODYS}, query_string=one, **known)
        for one in (query, {"stream_id": "nobodys"})
    ]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert all('error="invalid_token"' in a.headers["WWW-Authenticate"] for a in answers)
    assert receiver.streams("GET", query_string=query).status_code == 200


@module("openid-ssf-stream-control-error-create-stream-with-duplicate-config")
def test_a_client_has_a_few_streams_and_no_more(receiver: Receiver) -> None:
    answers = [receiver.streams("POST", json=receiver.asked()).status_code for _ in range(5)]

    assert answers == [201, 201, 201, 201, 409]


@module("openid-ssf-stream-control-error-read-unknown-stream")
@module("openid-ssf-stream-control-error-delete-unknown-stream")
@module("openid-ssf-stream-control-error-update-unknown-stream")
@module("openid-ssf-stream-control-error-replace-unknown-stream")
def test_a_stream_that_was_removed_is_unknown(receiver: Receiver) -> None:
    name = receiver.creates()["stream_id"]
    receiver.streams("DELETE", query_string={"stream_id": name})
    whole = receiver.asked() | {"stream_id": name}

    answers = [
        receiver.streams("GET", query_string={"stream_id": name}),
        receiver.streams("PATCH", json=whole),
        receiver.streams("PUT", json=whole),
        receiver.streams("DELETE", query_string={"stream_id": name}),
        receiver.call("status_endpoint", "GET", query_string={"stream_id": name}),
        receiver.call("verification_endpoint", json={"stream_id": name}),
    ]

    assert [answer.status_code for answer in answers] == [404] * 6


@module("openid-ssf-stream-control-error-update-stream-with-invalid-body")
@module("openid-ssf-stream-control-error-replace-stream-with-invalid-body")
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_broken_json_changes_no_stream(receiver: Receiver, method: str) -> None:
    made = receiver.creates()

    answer = receiver.streams(method, data=";{ broken", content_type="application/json")

    assert answer.status_code == 400
    assert receiver.streams("GET").json == [made]


@module("openid-ssf-stream-subject-control")
@spec("OpenID Shared Signals Framework 1.0 section 8.1.3")
def test_subjects_are_added_and_removed(receiver: Receiver) -> None:
    name = receiver.creates()["stream_id"]
    subject = {"format": "email", "email": "foo@example.com"}

    added = receiver.call(
        "add_subject_endpoint", json={"stream_id": name, "subject": subject, "verified": True}
    )
    removed = receiver.call("remove_subject_endpoint", json={"stream_id": name, "subject": subject})

    assert added.status_code == 200
    assert (removed.status_code, removed.data) == (204, b"")


@spec("RFC 6750 section 3.1")
def test_who_may_only_read_streams_may_change_none(receiver: Receiver, variant: Variant) -> None:
    name = receiver.creates()["stream_id"]
    receiver.token = fetched(receiver.rp, variant.client_auth, "ssf.read")

    read = receiver.streams("GET", query_string={"stream_id": name})
    written = [
        receiver.streams("POST", json=receiver.asked()),
        receiver.streams("DELETE", query_string={"stream_id": name}),
        receiver.call("status_endpoint", json={"stream_id": name, "status": "paused"}),
        receiver.call("verification_endpoint", json={"stream_id": name}),
    ]

    assert read.status_code == 200
    assert [answer.status_code for answer in written] == [403] * 4
    assert all("insufficient_scope" in a.headers["WWW-Authenticate"] for a in written)


@spec("OpenID Shared Signals Framework 1.0 section 8.1.1")
def test_the_stream_of_another_client_does_not_exist(op: World, receiver: Receiver) -> None:
    name = receiver.creates()["stream_id"]
    other = receiver_of(op)

    read = other.streams("GET", query_string={"stream_id": name})
    removed = other.streams("DELETE", query_string={"stream_id": name})

    assert (read.status_code, removed.status_code) == (404, 404)
    assert other.streams("GET").json == []
    assert len(receiver.streams("GET").json) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"delivery": {"method": PUSH}},
        {"delivery": {"method": PUSH, "endpoint_url": "http://receiver.test/events"}},
        {"delivery": {"method": PUSH, "endpoint_url": "https://me@receiver.test/events"}},
        {"delivery": {"method": "urn:example:pigeon"}},
        {"delivery": "push"},
        {"events_requested": "all"},
        {"events_requested": [1]},
        {"events_requested": ["x"] * 65},
        {"description": "x" * 600},
        {"description": "a\nb"},
        {
            "delivery": {
                "method": PUSH,
                "endpoint_url": "https://receiver.test/events",
                "authorization_header": "Bearer a\r\nX-Other: b",
            }
        },
    ],
)
@spec("SSR-01", "OpenID Shared Signals Framework 1.0 section 8.1.1.1")
def test_what_no_stream_can_be_is_refused(op: World, wrong: dict[str, object]) -> None:
    receiver = receiver_of(op)

    answer = receiver.streams("POST", json=receiver.asked() | wrong)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("name", ["\x00", "a\x00b", "\n", "x" * 5000, "", 7, None, ["a"], {"a": 1}])
@spec("OpenID Shared Signals Framework 1.0 section 8.1.1")
def test_a_name_no_stream_can_have_is_never_a_fault(op: World, name: object) -> None:
    receiver = receiver_of(op)
    body = {"stream_id": name, "status": "paused", "subject": {"format": "opaque", "id": "\x00"}}

    answers = [
        receiver.streams("PATCH", json=body),
        receiver.call("status_endpoint", json=body),
        receiver.call("verification_endpoint", json=body),
        receiver.call("add_subject_endpoint", json=body),
    ]
    if isinstance(name, str) and name:
        answers.append(receiver.streams("GET", query_string={"stream_id": name}))
        answers.append(receiver.streams("DELETE", query_string={"stream_id": name}))

    assert {answer.status_code for answer in answers} <= {400, 404}


@spec("RFC 9493 section 3.2.4", "P5")
def test_any_text_can_name_a_person_nobody_knows(op: World) -> None:
    receiver = receiver_of(op)
    stream_id = receiver.creates()["stream_id"]

    for subject in (
        {"format": "opaque", "id": "\x00"},
        {"format": "email", "email": "\u212a@example.com"},
        {"format": "complex", "user": {"format": "iss_sub", "iss": "x", "sub": "y"}},
        {"user": {"format": "phone_number", "phone_number": "+1"}},
    ):
        body = {"stream_id": stream_id, "subject": subject}
        assert receiver.call("add_subject_endpoint", json=body).status_code == 200
    for subject in (None, 7, {}, {"format": "nobodys"}, {"format": "email"}, {"user": 7}):
        body = {"stream_id": stream_id, "subject": subject}
        assert receiver.call("add_subject_endpoint", json=body).status_code == 400
