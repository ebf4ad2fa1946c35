"""The plan for front-channel logout (conformance B.6)."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

from tests.conformance.conftest import Registers
from tests.conformance.marks import module
from tests.conformance.party import RelyingParty
from tests.conformance.registration import AFTER_LOGOUT, BASE
from tests.conformance.test_logout import STATE, is_over, logs_out
from tests.support.spec import spec

ADDRESS = f"{BASE}/frontchannel_logout"


@module("oidcc-frontchannel-logout-discovery-endpoint-verification")
def test_frontchannel_logout_discovery_endpoint_verification(rp: RelyingParty) -> None:
    assert rp.document["frontchannel_logout_supported"] is True
    assert rp.document["frontchannel_logout_session_supported"] is True
    assert rp.document["end_session_endpoint"].startswith("https://")


@module("oidcc-frontchannel-rp-initiated-logout")
@spec("FCL-01")
def test_frontchannel_rp_initiated_logout(registers: Registers) -> None:
    rp = registers(frontchannel_logout_uri=ADDRESS, frontchannel_logout_session_required=True)
    given, identity = rp.signs_in()

    page = logs_out(
        rp,
        id_token_hint=given["id_token"],
        post_logout_redirect_uri=AFTER_LOGOUT,
        state=STATE,
    )

    assert page.status_code == 200
    (frame,) = re.findall(r'<iframe[^>]* src="([^"]*)"', page.text)
    parts = urlsplit(unescape(frame))
    assert parts._replace(query="").geturl() == ADDRESS
    assert parse_qs(parts.query) == {"iss": [rp.issuer], "sid": [identity["sid"]]}
    (back,) = re.findall(r'http-equiv="refresh" content="3; url=([^"]*)"', page.text)
    assert unescape(back) == f"{AFTER_LOGOUT}?state={STATE}"
    assert is_over(rp)
