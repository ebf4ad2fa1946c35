"""`idp client exchange` and `idp issuer`: whose tokens and whose word count, and for what."""

import json
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from tests.cli.conftest import Operator
from tests.support.spec import spec

API = "https://archive.test"
TRUST = ("issuer", "trust", "https://hr.test", "--client", "c_1")
KEYS = ("--jwks-uri", "https://hr.test/jwks")


@spec("RFC 8693 section 2.1", "EXC-02")
def test_the_right_to_exchange_is_given_and_taken_back(operator: Operator) -> None:
    operator.reads("resource", "add", API)
    client = str(operator.reads("client", "add", "Notes")["client_id"])

    given = operator.reads("client", "exchange", client, API, "--of", "c_1", "--impersonation")
    known = operator.reads("client", "show", client)
    taken = operator.reads("client", "exchange", client, "--never")

    right = {"resources": [API], "clients": ["c_1"], "impersonation": True}
    assert given["token_exchange"] == known["token_exchange"] == right
    assert taken["token_exchange"] is None
    now = operator.reads("client", "show", client)
    assert "token_exchange" not in now
    assert now["grant_types"] == ["client_credentials"]


@pytest.mark.parametrize("words", [[], [API, "--never"]])
def test_it_is_given_or_taken_and_not_both(operator: Operator, words: list[str]) -> None:
    done = operator.types("client", "exchange", "c_1", *words)

    assert done.exit_code == 1
    assert "--never" in done.stderr


@spec("RFC 7523 section 3")
def test_an_issuer_is_trusted_and_no_more(operator: Operator, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    public = ECKey.generate_key("P-256").as_dict(private=False)
    keys.write_text(json.dumps({"keys": [public]}))

    made = operator.reads(*TRUST, "--jwks", str(keys), "--subject", "a=b=alice")
    listed = operator.reads("issuer", "list")
    gone = operator.reads("issuer", "distrust", "https://hr.test")

    assert (made["keys"], made["subjects"]) == ("1 kept here", "1 named")
    assert made in listed
    assert gone == {"issuer": "https://hr.test", "trusted": False}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([*KEYS], "of whom"),
        ([*KEYS, "--subject", "4711"], "THEIRS=USERNAME"),
        ([*KEYS, "--subject", "1=a", "--subject-is", "sub"], "of whom"),
        (["--subject-is", "sub"], "jwks"),
        (["--subject-is", "sub", "--jwks-uri", "http://hr.test/jwks"], "https"),
    ],
)
def test_terms_that_mean_nothing_are_refused(
    operator: Operator, more: list[str], said: str
) -> None:
    done = operator.types(*TRUST, *more)

    assert done.exit_code == 1
    assert said in done.stderr
