"""Forms on a page, pressed by the id of their button, as the suite's own browser does."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


@dataclass
class Form:
    """Where a form goes, and what it brings."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        had = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = True
            self.forms.append(Form(had.get("action", ""), had.get("method", "get").lower()))
        elif self.inside and tag == "input" and had.get("name"):
            self.forms[-1].fields[had["name"]] = had.get("value", "")
        elif self.inside and tag == "button" and had.get("id"):
            self.forms[-1].buttons[had["id"]] = (had.get("name", ""), had.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False


def forms(page: TestResponse) -> list[Form]:
    """The forms of a page, in their order."""
    reader = _Reader()
    reader.feed(page.text)
    return reader.forms


def offers(page: TestResponse, button: str) -> bool:
    """Whether a page has the button of this id."""
    return any(button in form.buttons for form in forms(page))


def press(http: FlaskClient, page: TestResponse, button: str, **typed: str) -> TestResponse:
    """Fill in the form and press its button."""
    form = next(form for form in forms(page) if button in form.buttons)
    assert form.method == "post"
    name, value = form.buttons[button]
    sent = form.fields | typed | ({name: value} if name else {})
    return http.post(form.action, data=sent)
