"""Addresses as proofs are compared by; and garbage, which is refused and never a fault."""

import base64
import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.crypto.dpop import InvalidProof, address, check
from tests.support.prover import Prover
from tests.support.spec import spec

NOW = datetime(2031, 5, 4, 12, 0, 0, tzinfo=UTC)
URL = "https://api.test/orders/7"
PROVER = Prover()

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
PATHS = st.lists(st.text("abcXYZ019-_~!$&'()*+,;=:@", min_size=1), max_size=4)


@spec("RFC 9449 section 4.3", "DPO-03")
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("https://API.test:443/orders/7?page=2#top", URL),
        ("HTTPS://api.TEST/orders/7", URL),
        ("https://api.test/%6frders/7", URL),
        ("http://api.test:80", "http://api.test/"),
        ("https://api.test?page=2", "https://api.test/"),
        ("https://api.test:8443/", "https://api.test:8443/"),
        ("http://[::1]:9000/a%2fb", "http://[::1]:9000/a%2Fb"),
    ],
)
def test_one_address_has_one_spelling(said: str, meant: str) -> None:
    assert address(said) == meant


@spec("DPO-03")
@pytest.mark.parametrize(
    "said",
    [
        "http://api.test/orders/7",
        "https://api.test/orders/8",
        "https://api.test/Orders/7",
        "https://api.test/orders/7/",
        "https://api.test//orders/7",
        "https://api.test:8443/orders/7",
        "https://api.test./orders/7",
        "https://evil.test/orders/7",
        "https://api.test/orders%2F7",
    ],
)
def test_another_address_is_another_address(said: str) -> None:
    assert address(said) != URL


@spec("DPO-03")
@pytest.mark.parametrize(
    "said",
    [
        "https://ann@api.test/orders/7",
        "https://ann:pw@api.test/orders/7",
        "https://api.test@evil.test/orders/7",
        "https://api.test/x/../orders/7",
        "https://api.test/x/%2e%2E/orders/7",
        "https://api.test/./orders/7",
        "https://api.test/orders/7/..",
        "https:/api.test/orders/7",
        "https:///orders/7",
        "//api.test/orders/7",
        "/orders/7",
        "ftp://api.test/orders/7",
        "https://api.test\\orders\\7",
        "https://api.test/orders/7\n",
        " https://api.test/orders/7",
        "https://api.test/orders/%7",
        "https://api.test:port/orders/7",
        "https://[api.test]/orders/7",
        "https://[::1]evil/orders/7",
        "https://äpi.test/orders/7",
        "",
        "https://api.test/" + "x" * 3000,
    ],
)
def test_an_address_with_a_trick_in_it_is_refused(said: str) -> None:
    with pytest.raises(InvalidProof):
        address(said)


@spec("DPO-03")
@given(path=PATHS, query=st.text("abc=&/?%20"), upper=st.booleans())
def test_query_case_of_the_host_and_default_port_never_matter(
    path: list[str], query: str, upper: bool
) -> None:
    host = "API.Test" if upper else "api.test"
    plain = f"https://api.test/{'/'.join(path)}"

    assert address(f"https://{host}:443/{'/'.join(path)}?{query}") == address(plain) == plain


@given(url=st.text() | st.from_regex(r"https?://[ -~]{0,12}(:[0-9]{0,6})?/[ -~]{0,20}"))
def test_an_address_is_compared_or_refused_and_its_spelling_is_final(url: str) -> None:
    with contextlib.suppress(InvalidProof):
        spelled = address(url)
        assert address(spelled) == spelled


@spec("DPO-01")
@given(proof=st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_garbage_is_refused(proof: str) -> None:
    with pytest.raises(InvalidProof):
        check([proof], method="GET", url=URL, now=NOW)


@spec("DPO-01")
@given(header=JSON, payload=JSON)
def test_json_that_is_no_proof_is_refused(header: object, payload: object) -> None:
    parts = [_part(header), _part(payload), "AA"]

    with pytest.raises(InvalidProof):
        check([".".join(parts)], method="GET", url=URL, now=NOW)


@spec("DPO-01")
@given(member=st.sampled_from(["typ", "alg", "jwk", "kid", "x", "crv"]), value=JSON)
def test_a_header_with_one_odd_member_is_refused_or_judged(member: str, value: object) -> None:
    jwk = PROVER.key.as_dict(private=False)
    changed = {"jwk": jwk | {member: value}} if member in jwk else {member: value}
    claims = {"jti": "1", "htm": "GET", "htu": URL, "iat": int(NOW.timestamp())}
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk} | changed
    _, body, signature = PROVER.proof("GET", URL, NOW, **claims).split(".")

    with contextlib.suppress(InvalidProof):
        check([f"{_part(header)}.{body}.{signature}"], method="GET", url=URL, now=NOW)


@spec("DPO-01")
@given(claims=st.dictionaries(st.sampled_from(["jti", "htm", "htu", "iat", "ath", "nonce"]), JSON))
def test_signed_claims_of_any_shape_are_refused_or_judged(claims: dict[str, object]) -> None:
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": PROVER.key.as_dict(private=False)}

    with pytest.raises(InvalidProof):
        check([PROVER.signed(header, claims)], method="GET", url=URL, now=NOW, token="t")


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
