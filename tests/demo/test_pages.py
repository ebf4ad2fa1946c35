"""The pages of a demo app: what every answer carries, and the small things."""

import pytest

from tests.demo.conftest import App
from tests.support.hostile import Hostile
from tests.support.spec import spec


@spec("BRW-01", "RPD-04")
@pytest.mark.parametrize("path", ["/", "/callback?state=x", "/favicon.ico", "/state"])
def test_every_answer_may_load_from_home_only(app: App, path: str) -> None:
    headers = app.http.get(path).headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@spec("product: the demo's looks")
def test_the_app_has_an_icon(app: App) -> None:
    answer = app.http.get("/favicon.ico")

    assert answer.status_code == 200
    assert answer.mimetype == "image/svg+xml"


@spec("RPD-04", "BRW-02")
def test_what_a_provider_says_of_a_person_is_text(app: App, op: Hostile) -> None:
    op.userinfo = {"name": "<script>alert(1)</script>", "email": '"><img src=x>'}

    app.signs_in()

    page = app.http.get("/").text
    assert "<script>alert" not in page
    assert "<img src=x>" not in page
    assert "&lt;script&gt;" in page


@spec("RPD-04")
def test_a_handle_instead_of_a_jwt_is_no_fault(app: App) -> None:
    app.signs_in()

    assert app.http.get("/").status_code == 200
