"""The demo in German: every text of its pages and scripts, chosen by browser or by hand."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from tests.demo.conftest import App
from tests.support.spec import spec

DEMO = Path(__file__).parents[2] / "client_demo"
GERMAN = DEMO / "translations" / "de" / "LC_MESSAGES" / "messages.po"
SAID = re.compile(r'\b(?:say|words)\("([^"]+)"')
LISTED = re.compile(r'^  "([^"]+)": "([^"]+)",$', re.MULTILINE)


def texts() -> set[object]:
    """Every text of the pages, as the translators' tools find them."""
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
    return {message for _, _, message, _, _ in extract_from_dir(str(DEMO), method_map=methods)}


def filled(text: object) -> set[str]:
    return set(re.findall(r"%\(\w+\)s|\{\w+\}", str(text)))


def test_every_text_is_there_in_german_and_none_too_many() -> None:
    catalog = read_po(BytesIO(GERMAN.read_bytes()))

    assert {message.id for message in catalog if message.id} == texts()
    assert [m.id for m in catalog if m.id and (m.fuzzy or not m.string)] == []
    assert [m.id for m in catalog if m.id and filled(m.id) != filled(m.string)] == []


def test_the_compiled_german_is_what_the_readable_one_says() -> None:
    compiled = BytesIO()

    write_mo(compiled, read_po(BytesIO(GERMAN.read_bytes())))

    assert compiled.getvalue() == GERMAN.with_suffix(".mo").read_bytes()


def test_what_the_scripts_say_is_there_in_german_and_none_too_much() -> None:
    static = DEMO / "static"
    scripts = [*static.glob("*.js"), *static.glob("lab/*.js")]
    said = {text for script in scripts for text in SAID.findall(script.read_text())}

    listed = dict(LISTED.findall((static / "de.js").read_text()))

    assert set(listed) == said
    assert [text for text, german in listed.items() if filled(text) != filled(german)] == []


@spec("product: the demo speaks the visitor's language")
@pytest.mark.parametrize(
    ("accepts", "tag", "title"),
    [
        ("de-AT,en;q=0.5", "de", "Niemand ist angemeldet"),
        ("fr,de;q=0.2", "de", "Niemand ist angemeldet"),
        ("fr", "en", "Nobody is signed in"),
        ("", "en", "Nobody is signed in"),
    ],
)
def test_a_page_is_in_the_language_the_browser_prefers(
    app: App, accepts: str, tag: str, title: str
) -> None:
    page = app.http.get("/", headers={"Accept-Language": accepts}).text

    assert f'<html lang="{tag}">' in page
    assert title in page


@spec("product: the demo speaks the visitor's language")
def test_what_is_chosen_by_hand_wins_and_leads_back(app: App) -> None:
    browser = app.browser()

    chosen = browser.post("/language", data={"language": "de", "back": "/?a=b"})

    assert (chosen.status_code, chosen.headers["Location"]) == (303, "/?a=b")
    page = browser.get("/", headers={"Accept-Language": "en"}).text
    assert "Niemand ist angemeldet" in page


@spec("BRW-02")
@pytest.mark.parametrize(
    "back", ["https://evil.test/", "//evil.test", "/\\evil.test", "", "/\r\nX"]
)
def test_the_choice_of_a_language_leads_nowhere_else(app: App, back: str) -> None:
    answer = app.browser().post("/language", data={"language": "de", "back": back})

    assert answer.status_code == 400
