"""The JWT bearer grant: what another issuer says of our people, and how far it is believed."""

from dataclasses import dataclass
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from idp.crypto.secrets import new_id
from idp.domain.sign_out import Because
from idp.store import db
from tests.protocol.test_token import claims
from tests.support.spec import spec
from tests.support.world import API, Rp, World

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
HR = "https://hr.test"


@dataclass
class Bearer:
    """Another issuer, the client that brings its word, and the API it is for."""

    world: World
    client: Rp
    api: Rp
    key: ECKey

    @classmethod
    def of(cls, world: World, **terms: Any) -> "Bearer":
        api = world.api(API, **{"notes:read": "Read", "notes:write": "Write"})
        made = cls(world, world.machine(grant_types=[GRANT]), api, ECKey.generate_key("P-256"))
        made.trusts(**{"subjects": {"4711": "alice"}} | terms)
        return made

    def trusts(self, issuer: str = HR, **terms: Any) -> None:
        details = {
            "jwks": {"keys": [self.key.as_dict(private=False)]},
            "clients": [self.client.client_id],
            "scopes": ["notes:read"],
        } | terms
        with self.world.app.app_context():
            self.world.op.clients.issuers.trust(issuer, details, self.world.clock.now)
            db.session.commit()

    def word(self, key: ECKey | None = None, typ: str | None = None, **more: Any) -> str:
        now = int(self.world.clock.now.timestamp())
        said = {"iss": HR, "sub": "4711", "aud": "https://op.test", "jti": new_id()}
        said |= {"iat": now, "exp": now + 60} | more
        header = {"alg": "ES256"} | ({"typ": typ} if typ is not None else {})
        kept = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(header, kept, key or self.key)

    def brings(self, word: str | None, by: Rp | None = None, **more: Any) -> TestResponse:
        return (by or self.client).post("/token", grant_type=GRANT, assertion=word, **more)


@pytest.fixture
def hr(world: World, alice: str) -> Bearer:
    return Bearer.of(world)


@spec("RFC 7523 section 2.1", "RFC 7521 section 4.1")
def test_the_word_of_a_trusted_issuer_becomes_an_access_token(hr: Bearer, alice: str) -> None:
    answer = hr.brings(hr.word())

    assert answer.status_code == 200, answer.json
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "scope"}
    assert answer.json["scope"] == "notes:read"
    said = claims(answer.json["access_token"])
    assert (said["sub"], said["aud"], said["client_id"]) == (alice, API, hr.client.client_id)
    assert not {"auth_time", "acr", "amr", "sid"} & set(said)
    assert hr.api.introspect(answer.json["access_token"])["active"] is True


@spec("RFC 7523 section 3", "JWA-02", "P3")
def test_each_word_counts_once(hr: Bearer) -> None:
    word = hr.word()

    answers = [hr.brings(word) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 400]
    assert answers[1].json["error"] == "invalid_grant"


@spec("RFC 7523 section 3", "JWA-01", "JWA-03", "JWA-04", "JOS-13", "CVE-2025-27371")
@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://hr.test/"},
        {"iss": "https://other.test"},
        {"iss": None},
        {"iss": "\0"},
        {"iss": 1},
        {"sub": "4712"},
        {"sub": "alice"},
        {"sub": None},
        {"sub": "\0"},
        {"sub": ["4711"]},
        {"aud": "https://op.test/token"},
        {"aud": ["https://op.test", "https://other.test"]},
        {"aud": None},
        {"exp": None},
        {"exp": 1},
        {"exp": 2**40},
        {"exp": True},
        {"nbf": 2**40},
        {"iat": 2**40},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 513},
        {"jti": 1},
        {"typ": "at+jwt"},
        {"typ": "dpop+jwt"},
        {"typ": "logout+jwt"},
        {"key": ECKey.generate_key("P-256")},
    ],
)
def test_a_word_that_is_wrong_in_one_point_is_not_believed(
    hr: Bearer, wrong: dict[str, Any]
) -> None:
    answer = hr.brings(hr.word(**wrong))

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")


@spec("RFC 7523 section 3", "JOS-01")
@pytest.mark.parametrize("word", ["x", "a.b.c", "é", "a.b.c.d.e", "e30.e30.", "x" * 20_000])
def test_what_is_no_jwt_is_not_believed(hr: Bearer, word: str) -> None:
    answer = hr.brings(word)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")


@spec("RFC 7523 section 2.1", "EXC-01")
def test_only_a_client_that_was_named_may_bring_it(hr: Bearer) -> None:
    other = hr.world.machine(grant_types=[GRANT])
    unable = hr.world.machine(grant_types=["client_credentials"])
    public = hr.world.rp(token_endpoint_auth_method="none")
    word = hr.word()

    errors = [hr.brings(word, by).json["error"] for by in (other, unable, public)]

    assert errors == ["invalid_grant", "unauthorized_client", "unauthorized_client"]
    assert hr.brings(None).json["error"] == "invalid_request"
    assert hr.brings(word).status_code == 200


@spec("RFC 7521 section 4.1", "EXC-02")
@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"scope": "notes:write"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "offline_access"}, "invalid_scope"),
        ({"resource": "https://other.test"}, "invalid_target"),
        ({"resource": "https://op.test"}, "invalid_target"),
    ],
)
def test_an_issuer_gives_no_more_than_an_operator_lets_it(
    hr: Bearer, more: dict[str, str], error: str
) -> None:
    word = hr.word()

    refused = hr.brings(word, **more)

    assert (refused.status_code, refused.json["error"]) == (400, error)
    assert hr.brings(word, scope="notes:read", resource=API).status_code == 200


@spec("RFC 7523 section 3")
@pytest.mark.parametrize(
    ("terms", "sub"), [({"subject_is": "username"}, "alice"), ({"subject_is": "sub"}, "{alice}")]
)
def test_its_subjects_may_be_ours(
    world: World, alice: str, terms: dict[str, str], sub: str
) -> None:
    hr = Bearer.of(world)
    details = {"jwks": {"keys": [hr.key.as_dict(private=False)]}, "scopes": ["notes:read"]}
    with world.app.app_context():
        named = details | {"clients": [hr.client.client_id]} | terms
        world.op.clients.issuers.trust(HR, named, world.clock.now)
        db.session.commit()

    answers = [hr.brings(hr.word(sub=who)) for who in (sub.format(alice=alice), "ALICE", "bob")]

    assert [answer.status_code for answer in answers] == [200, 400, 400]


@spec("ADM-03", "P1", "P4", "CVE-2025-14559")
def test_what_it_gave_ends_with_everything_else_of_its_person(hr: Bearer, alice: str) -> None:
    first = hr.brings(hr.word()).json["access_token"]
    with hr.world.app.app_context():
        why = Because("test", "test")
        hr.world.op.sign_outs.everywhere(alice, why, hr.world.clock.now)
        db.session.commit()
    second = hr.brings(hr.word()).json["access_token"]

    assert hr.api.introspect(first) == {"active": False}
    assert hr.api.introspect(second)["active"] is True
    with hr.world.app.app_context():
        row = hr.world.op.accounts.find(alice)
        assert row is not None
        hr.world.op.accounts.disable(row, hr.world.clock.now)
        db.session.commit()
    assert hr.api.introspect(second) == {"active": False}
    assert hr.brings(hr.word()).json["error"] == "invalid_grant"


@spec("RFC 7009 section 2.1", "P7")
def test_it_is_taken_back_alone_and_leaves_nothing_behind(hr: Bearer, alice: str) -> None:
    tokens = [hr.brings(hr.word()).json["access_token"] for _ in range(2)]

    hr.client.post("/revoke", token=tokens[0])

    assert [hr.api.introspect(token)["active"] for token in tokens] == [False, True]
    hr.world.clock.advance(minutes=10)
    with hr.world.app.app_context():
        hr.world.op.grants.sweep(hr.world.clock.now, 100)
        assert hr.world.op.grants.lines_of_account(alice) == []


@spec("RFC 7523 section 3", "P5")
def test_an_issuer_that_is_trusted_no_more_is_not_believed(hr: Bearer) -> None:
    with hr.world.app.app_context():
        gone = hr.world.op.clients.issuers.distrust(HR)
        db.session.commit()

    assert gone is True
    assert hr.brings(hr.word()).json["error"] == "invalid_grant"


@spec("RFC 9470 section 3", "STP-01")
def test_it_satisfies_no_step_up(hr: Bearer) -> None:
    said = claims(hr.brings(hr.word(auth_time=2**31, acr="phr")).json["access_token"])

    assert not {"acr", "auth_time", "amr"} & set(said)
