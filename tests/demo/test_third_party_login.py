"""Being sent to sign in by another page: to the app's own provider, and on to the app itself."""

from urllib.parse import urlencode

import pytest

from tests.demo.conftest import HOME, App
from tests.support.hostile import Hostile
from tests.support.spec import spec


def begins(**asked: str) -> str:
    return f"/login?{urlencode(asked)}"


@spec("OpenID Connect Core section 4")
def test_the_provider_opens_the_app_where_it_says(app: App, op: Hostile) -> None:
    back = app.signs_in(begins(iss=op.url, target_link_uri=f"{HOME}/lab"))

    assert back.headers["Location"] == "/lab"
    assert app.is_signed_in()


@spec("OpenID Connect Core section 4", "RED-06")
@pytest.mark.parametrize(
    "target", ["https://evil.test/", f"{HOME}.evil.test/", "//evil.test", f"{HOME}//evil.test"]
)
def test_nobody_is_sent_on_to_a_foreign_page(app: App, op: Hostile, target: str) -> None:
    back = app.signs_in(begins(iss=op.url, target_link_uri=target))

    assert back.headers["Location"] == "/"


@spec("OpenID Connect Core section 4")
def test_a_provider_that_is_not_the_apps_own_is_refused(app: App) -> None:
    answer = app.http.get(begins(iss="https://evil.test"))

    assert answer.status_code == 400
    assert "not ours" in answer.text
