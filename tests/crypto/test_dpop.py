"""One proof, judged: what holds, and every way of being wrong."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from idp.crypto import dpop
from idp.crypto.dpop import InvalidProof, Nonces, Proof, StaleNonce, check
from tests.support.prover import Prover
from tests.support.spec import spec

LOUD = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
NOW = datetime(2031, 5, 4, 12, 0, 0, tzinfo=UTC)
URL = "https://op.test/token"
PROVER = Prover()
NONCES = Nonces(b"k" * 32)


def judged(proof: str, **more: Any) -> Proof:
    return check([proof], **({"method": "POST", "url": URL, "now": NOW} | more))


def made(**more: Any) -> str:
    return PROVER.proof("POST", URL, NOW, **more)


@spec("RFC 9449 section 4.3", "DPO-01")
def test_a_proof_that_holds_names_its_key() -> None:
    proof = judged(made(jti="one"))

    assert (proof.jkt, proof.jti, proof.iat) == (PROVER.jkt, "one", int(NOW.timestamp()))
    assert proof.nonce is None
    assert proof.once == f"{PROVER.jkt}|{URL}|one"


@LOUD
@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (ECKey.generate_key("P-384"), "ES384"),
        (ECKey.generate_key("P-521"), "ES512"),
        (RSAKey.generate_key(2048), "PS256"),
        (OKPKey.generate_key("Ed25519"), "EdDSA"),
        (OKPKey.generate_key("Ed25519"), "Ed25519"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_keys_of_every_allowed_kind_prove(key: Key, alg: str) -> None:
    prover = Prover(key, alg)

    assert judged(prover.proof("POST", URL, NOW)).jkt == prover.jkt


@spec("DPO-01")
def test_members_nobody_knows_and_sane_dates_do_not_matter() -> None:
    moment = int(NOW.timestamp())
    proof = made(nbf=moment, exp=moment + 300, colour="blue", header={"shape": "round"})

    assert judged(f" {proof} ").jkt == PROVER.jkt


@spec("RFC 9449 section 4.3", "DPO-01")
@pytest.mark.parametrize("name", ["jti", "htm", "htu", "iat"])
@pytest.mark.parametrize("value", [None, "", [], {}, True, "x" * 3000])
def test_a_claim_that_is_missing_or_odd_is_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidProof):
        judged(made(**{name: value}))


@spec("DPO-01", "DPO-02")
@pytest.mark.parametrize(
    "header",
    [
        {"typ": None},
        {"typ": "JWT"},
        {"typ": "at+jwt"},
        {"alg": None},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"alg": "ES384"},
        {"jwk": None},
        {"jwk": "a string"},
        {"jwk": {}},
        {"jwk": {"kty": "oct", "k": "c2VjcmV0"}},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": 1, "y": 2}},
        {"jwk": PROVER.key.as_dict(private=True)},
        {"jwk": ECKey.generate_key("P-256").as_dict(private=False)},
        {"jwk": OKPKey.generate_key("Ed25519").as_dict(private=False)},
        {"crit": ["exp"], "exp": 1},
        {"kid": 7},
    ],
)
def test_a_header_that_is_wrong_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(InvalidProof):
        judged(made(header=header))


@spec("DPO-02")
def test_a_secret_both_sides_could_know_proves_nothing() -> None:
    prover = Prover(OctKey.generate_key(256), "HS256")

    with pytest.raises(InvalidProof, match="algorithm"):
        judged(prover.signed({"typ": "dpop+jwt", "alg": "HS256", "jwk": {"kty": "oct"}}, {}))


@LOUD
def test_short_rsa_keys_and_those_made_to_keep_us_busy_are_refused() -> None:
    short = Prover(RSAKey.generate_key(1024), "PS256")
    busy = RSAKey.generate_key(2048).as_dict(private=False) | {"e": "AQAAAAAB"}

    with pytest.raises(InvalidProof, match="RSA"):
        judged(short.proof("POST", URL, NOW))
    with pytest.raises(InvalidProof, match="RSA"):
        judged(made(header={"jwk": busy, "alg": "PS256"}))


@spec("DPO-01")
def test_there_is_exactly_one_proof() -> None:
    one, two = made(), made()

    for values in ([], [one, two], [f"{one}, {two}"], [f"{one},{two}"]):
        with pytest.raises(InvalidProof, match="exactly one"):
            check(values, method="POST", url=URL, now=NOW)


@spec("DPO-06")
def test_what_is_too_long_is_refused_before_it_is_read() -> None:
    with pytest.raises(InvalidProof, match="too long"):
        judged(made(jti="x" * 1_000_000))
    with pytest.raises(InvalidProof, match="jti"):
        judged(made(jti="x" * 257))

    assert judged(made(jti="x" * 256)).jti == "x" * 256


@spec("RFC 9449 section 4.3", "DPO-02")
def test_a_changed_claim_or_a_changed_signature_is_refused() -> None:
    one, two = made().split("."), made().split(".")

    for parts in ((one[0], two[1], one[2]), (one[0], one[1], two[2]), (one[0], one[1], "")):
        with pytest.raises(InvalidProof):
            judged(".".join(parts))


@spec("DPO-03")
def test_the_method_is_compared_to_the_letter() -> None:
    for method in ("GET", "post", "POSt", "POST "):
        with pytest.raises(InvalidProof, match=r"htm|method"):
            judged(made(htm=method))


@spec("DPO-04")
@pytest.mark.parametrize(("age", "good"), [(-10, True), (-11, False), (60, True), (61, False)])
def test_a_proof_is_good_for_a_minute_and_for_clocks_a_little_ahead(age: int, good: bool) -> None:
    proof = made(iat=int(NOW.timestamp()) - age)

    if good:
        assert judged(proof).jkt == PROVER.jkt
    else:
        with pytest.raises(InvalidProof, match=r"old|future"):
            judged(proof)


@spec("DPO-06")
def test_a_proof_is_remembered_for_longer_than_its_age_lets_it_live() -> None:
    ahead = int(NOW.timestamp()) + 10
    proof = judged(made(iat=ahead))

    last_good = datetime.fromtimestamp(ahead + 60, UTC)
    assert judged(made(iat=ahead), now=last_good)
    assert proof.until >= last_good.timestamp() + 10


@spec("RFC 9449 section 7", "DPO-08")
def test_a_proof_for_a_token_is_for_no_other() -> None:
    token = secrets.token_urlsafe(32)

    assert judged(made(token=token), token=token).jkt == PROVER.jkt
    for proof in (made(), made(token="another"), made(ath="é" * 43), made(ath=7)):
        with pytest.raises(InvalidProof, match=r"ath|token"):
            judged(proof, token=token)


@spec("RFC 9449 section 8", "DPO-10")
def test_a_nonce_is_good_for_everybody_with_the_key_until_the_next_has_been_replaced() -> None:
    nonce, elsewhere = NONCES.fresh(NOW), Nonces(b"k" * 32)

    assert elsewhere.good(nonce, NOW)
    assert elsewhere.good(nonce, NOW + NONCES.stretch)
    assert elsewhere.fresh(NOW + NONCES.stretch) != nonce
    assert not elsewhere.good(nonce, NOW + 2 * NONCES.stretch)


@spec("DPO-10")
@pytest.mark.parametrize("value", ["", "x", "é", "\ud800", "A" * 32])
def test_a_nonce_of_somebody_elses_making_is_not_good(value: str) -> None:
    assert not NONCES.good(value, NOW)
    assert not NONCES.good(Nonces(b"x" * 32).fresh(NOW), NOW)


@spec("RFC 9449 section 11.1", "DPO-04", "DPO-10")
def test_a_good_nonce_takes_the_place_of_a_wrong_clock_and_a_stale_one_is_told_apart() -> None:
    wrong_clock = int((NOW - timedelta(days=400)).timestamp())
    fresh = made(iat=wrong_clock, nonce=NONCES.fresh(NOW))

    proof = judged(fresh, nonces=NONCES)

    assert proof.nonce == NONCES.fresh(NOW)
    assert proof.until > (NOW + NONCES.stretch).timestamp()
    with pytest.raises(StaleNonce):
        judged(fresh, nonces=NONCES, now=datetime.fromtimestamp(proof.until, UTC))
    with pytest.raises(InvalidProof, match="old"):
        judged(fresh)


@spec("RFC 9449 section 8", "DPO-10")
def test_where_a_nonce_is_required_nothing_else_will_do() -> None:
    forged, stale = Nonces(b"x" * 32).fresh(NOW), NONCES.fresh(NOW - 2 * NONCES.stretch)

    assert judged(made(nonce=NONCES.fresh(NOW)), nonces=NONCES, nonce_required=True)
    for nonce in (None, forged, stale):
        with pytest.raises(StaleNonce):
            judged(made(nonce=nonce), nonces=NONCES, nonce_required=True)


@spec("RFC 9449 section 4.3", "DPO-10")
def test_a_proof_with_a_nonce_is_judged_by_it_and_one_without_by_the_clock() -> None:
    forged, stale = Nonces(b"x" * 32).fresh(NOW), NONCES.fresh(NOW - 2 * NONCES.stretch)

    assert judged(made(), nonces=NONCES).jkt == PROVER.jkt
    for nonce in (forged, stale):
        assert judged(made(nonce=nonce)).jkt == PROVER.jkt, "who hands none out looks at none"
        with pytest.raises(StaleNonce):
            judged(made(nonce=nonce), nonces=NONCES)


def test_what_is_refused_is_said_without_repeating_it() -> None:
    with pytest.raises(InvalidProof) as refused:
        judged(made(htu="https://canary.test/"))

    assert refused.value.reason == "made for another address"
    assert dpop.ath("abc") == "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
