"""Being asked through the browser to sign out: only what is named ends, and only here."""

import pytest

from tests.demo.conftest import App
from tests.support.hostile import Hostile
from tests.support.spec import spec

PATH = "/frontchannel-logout"


@spec("FCL-03", "Front-Channel Logout 1.0 section 3")
def test_the_session_that_is_named_ends_in_this_browser_alone(app: App, op: Hostile) -> None:
    other = app.browser()
    app.signs_in()
    app.signs_in(browser=other)

    answer = app.http.get(PATH, query_string={"iss": op.url, "sid": op.sid})

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert not app.is_signed_in()
    assert app.is_signed_in(other)


@spec("FCL-03")
@pytest.mark.parametrize(
    "query",
    [{}, {"iss": "ours"}, {"sid": "ours"}, {"iss": "https://evil.test", "sid": "ours"},
     {"iss": "ours", "sid": "another"}, {"iss": "ours", "sid": ""}],
)  # fmt: skip
def test_whoever_does_not_name_the_session_ends_nothing(
    app: App, op: Hostile, query: dict[str, str]
) -> None:
    app.signs_in()
    ours = {"iss": op.url, "sid": op.sid}
    named = {name: ours[name] if value == "ours" else value for name, value in query.items()}

    answer = app.http.get(PATH, query_string=named)

    assert answer.status_code == 200
    assert app.is_signed_in()


def test_only_the_provider_may_hold_it_in_a_frame(app: App, op: Hostile) -> None:
    answer = app.http.get(PATH)
    home = app.http.get("/")

    policy = answer.headers["Content-Security-Policy"]
    assert policy == f"default-src 'none'; frame-ancestors {op.url}"
    assert "frame-ancestors 'none'" in home.headers["Content-Security-Policy"]
