"""The plan for session management (conformance B.8). That a real browser's frame answers so is
in tests/journeys/test_session_management.py.
"""

from hashlib import sha256
from urllib.parse import urlsplit

from tests.conformance.marks import module
from tests.conformance.party import RelyingParty
from tests.conformance.registration import AFTER_LOGOUT, BASE
from tests.conformance.test_logout import STATE, is_over, logs_out
from tests.support.spec import spec


def frame_says(rp: RelyingParty, session_state: str) -> str:
    """What the frame answers to the page of the client."""
    parts, salt = urlsplit(BASE), session_state.split(".")[1]
    found = rp.browser.http.get_cookie("__Host-idp_state")
    state = found.value if found is not None else ""
    said = f"{rp.client['client_id']} {parts.scheme}://{parts.netloc} {state} {salt}"
    same = session_state == f"{sha256(said.encode()).hexdigest()}.{salt}"
    return "unchanged" if same else "changed"


@module("oidcc-session-management-discovery-endpoint-verification")
def test_session_management_discovery_endpoint_verification(rp: RelyingParty) -> None:
    assert rp.document["check_session_iframe"].startswith(f"{rp.issuer}/")
    assert rp.document["end_session_endpoint"].startswith("https://")


@module("oidcc-session-management-rp-initiated-logout")
@spec("SES-CHK-01")
def test_session_management_rp_initiated_logout(rp: RelyingParty) -> None:
    back = rp.authorizes()
    given, _ = rp.brings(back)
    before = frame_says(rp, back["session_state"])

    answer = logs_out(
        rp,
        id_token_hint=given["id_token"],
        post_logout_redirect_uri=AFTER_LOGOUT,
        state=STATE,
    )

    assert before == "unchanged"
    assert frame_says(rp, back["session_state"]) == "changed"
    assert answer.headers["Location"] == f"{AFTER_LOGOUT}?state={STATE}"
    assert is_over(rp)
