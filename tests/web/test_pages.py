"""How every page is made: its language, its times, its words, and what is shown in trouble."""

import re
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from idp.web.words import ago, device, exactly
from tests.support.spec import spec
from tests.support.world import Rp, World

WEB = Path(__file__).parents[2] / "idp" / "web"
GERMAN = WEB / "translations" / "de" / "LC_MESSAGES" / "messages.po"


def texts() -> set[object]:
    """Every text of the pages, as the translators' tools find them."""
    found = extract_from_dir(
        str(WEB),
        method_map=[("**.py", "python"), ("**/templates/**.html", "jinja2")],
        options_map={"**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}},
    )
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


def test_every_text_is_there_in_german_and_none_too_many() -> None:
    catalog = read_po(BytesIO(GERMAN.read_bytes()))

    translated = {m.id if isinstance(m.id, str) else m.id[0] for m in catalog if m.id}

    assert translated == texts()
    assert [m.id for m in catalog if m.id and (m.fuzzy or not all(m.string))] == []


def test_a_translation_fills_in_what_the_text_fills_in() -> None:
    catalog = read_po(BytesIO(GERMAN.read_bytes()))

    def named(text: object) -> set[str]:
        said = text if isinstance(text, str) else " ".join(text)  # type: ignore[call-overload]
        return set(re.findall(r"%\((\w+)\)[sd]", said))

    assert [m.id for m in catalog if m.id and named(m.id) != named(m.string)] == []


def test_the_compiled_german_is_what_the_readable_one_says() -> None:
    compiled = BytesIO()

    write_mo(compiled, read_po(BytesIO(GERMAN.read_bytes())))

    assert compiled.getvalue() == GERMAN.with_suffix(".mo").read_bytes()


@spec("BRW-01", "BRW-03")
def test_no_template_has_inline_script_or_style_or_a_foreign_address() -> None:
    pages = {path.name: path.read_text() for path in WEB.rglob("*.html")}

    inline = r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:"
    foreign = r"""(?:src|href|action)=["']?(?:https?:)?//"""
    assert {name for name, text in pages.items() if re.search(inline, text)} == set()
    assert {name for name, text in pages.items() if re.search(foreign, text)} == set()


def test_a_page_speaks_the_language_of_the_browser(world: World) -> None:
    page = world.http().get("/sign-in", headers={"Accept-Language": "de-AT, en;q=0.5"})

    assert '<html lang="de">' in page.text
    assert "Benutzername" in page.text


@spec("OpenID Connect Core section 3.1.2.1")
def test_what_the_app_asks_for_wins_over_what_the_person_chose_here(
    world: World, alice: str, rp: Rp
) -> None:
    browser = world.browser()
    browser.http.set_cookie("idp_language", "en", domain="localhost")

    page = browser.http.get(browser.authorize(rp, ui_locales="fr de").headers["Location"])

    assert '<html lang="de">' in page.text


def test_what_the_person_chose_wins_over_their_account_and_that_over_the_browser(
    world: World,
) -> None:
    world.person("bea", locale="de-CH")
    browser = world.browser()
    browser.sign_in("bea")

    by_account = browser.http.get("/account", headers={"Accept-Language": "en"})
    back = browser.submit(by_account, "/language", language="en")
    by_choice = browser.http.get("/account", headers={"Accept-Language": "de"})

    assert '<html lang="de">' in by_account.text
    assert back.headers["Location"] == "/account"
    assert '<html lang="en">' in by_choice.text


@spec("BRW-04", "CVE-2024-39694", "CVE-2021-32618")
@pytest.mark.parametrize(
    "address",
    ["//evil.test", "/\\evil.test", "/%09/evil.test", "https:evil.test", "\\\\evil.test", "/a\n/b"],
)
def test_choosing_a_language_leads_to_no_foreign_address(world: World, address: str) -> None:
    browser = world.browser()
    page = browser.http.get("/sign-in")

    answer = browser.submit(page, "/language", language="de", back=address)

    assert answer.status_code == 400
    assert "Location" not in answer.headers


@spec("BRW-01", "BRW-02")
def test_an_unknown_address_is_a_page_with_a_sentence_a_number_and_a_way_back(
    world: World,
) -> None:
    page = world.http().get("/nowhere")

    assert page.status_code == 404
    assert "There is nothing at this address." in page.text
    assert re.search(r"name this number: [0-9a-f]{12}", page.text)
    assert 'href="/account"' in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@spec("V16.5", "design section 7")
def test_a_fault_of_ours_is_told_in_one_sentence_and_nothing_of_it_shows(world: World) -> None:
    def broken() -> str:
        raise RuntimeError("the secret of the house")

    world.app.add_url_rule("/broken", view_func=broken)

    page = world.http().get("/broken")

    assert page.status_code == 500
    assert "The mistake is ours" in page.text
    assert "secret" not in page.text


def test_a_script_of_ours_is_told_in_json(world: World) -> None:
    answer = world.http().post("/passkeys/login/options", json={})

    assert answer.status_code == 403
    assert "too old" in answer.json["error"]


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36",
         "Chrome 156 on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/155.0 Safari/537.36 Edg/155.0",
         "Edge 155 on Windows"),
        ("Mozilla/5.0 (Windows NT 10.0; rv:145.0) Gecko/20100101 Firefox/145.0",
         "Firefox 145 on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 "
         "Version/19.1 Mobile/15E148 Safari/604.1", "Safari 19 on iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
         "Version/19.0 Safari/605.1.15", "Safari 19 on macOS"),
        ("curl/8.5.0", "A browser we do not know"),
        ("", "A browser we do not know"),
    ],
)  # fmt: skip
def test_a_browser_is_called_by_a_name_its_person_knows(
    world: World, user_agent: str, words: str
) -> None:
    with world.app.test_request_context():
        assert device(user_agent) == words


def test_a_moment_is_said_as_one_says_it_and_exactly_in_the_persons_zone(world: World) -> None:
    world.person("bea", zoneinfo="Asia/Tokyo")
    browser = world.browser()
    browser.sign_in("bea")
    world.clock.advance(hours=3)

    page = browser.http.get("/account")

    assert "3 hours ago</time>" in page.text
    assert re.search(r'<time datetime="[^"]+\+00:00" title="[^"]+ GMT\+09:00">', page.text)


def test_less_than_a_minute_is_just_now_and_without_a_zone_it_is_utc(world: World) -> None:
    with world.app.test_request_context():
        moment = world.clock.now - timedelta(seconds=20)

        assert ago(moment) == "just now"
        assert exactly(moment).endswith(" UTC")
