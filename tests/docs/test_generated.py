"""The pages that are read off the code say what the code says."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from idp.policies import POLICIES
from idp.settings import load
from idp.web.endpoints import ROUTES
from tests.docs.readme import ROOT
from tests.support.world import World

ELSEWHERE = {"check_session_iframe", "authorization_endpoint", "end_session_endpoint"}


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """docs/generate.py."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(generate: ModuleType) -> dict[str, str]:
    made: dict[str, str] = generate.pages()
    return made


@pytest.mark.parametrize(
    "name", ["endpoints.md", "configuration.md", "conformance.md", "policies.md"]
)
def test_a_page_is_fresh(pages: dict[str, str], name: str) -> None:
    fresh = (ROOT / "docs" / name).read_text() == pages[name]

    assert fresh, f"docs/{name} is stale: run `make docs`"


def test_routes_discovery_and_the_page_name_the_same_endpoints(world: World) -> None:
    http = world.http()
    said = http.get("/.well-known/openid-configuration").json
    said |= http.get("/.well-known/ssf-configuration").json
    named = {
        v.removeprefix("https://op.test")
        for k, v in said.items()
        if k not in ELSEWHERE and str(v).startswith("https://op.test/")
    }
    page = (ROOT / "docs" / "endpoints.md").read_text()
    listed = set(re.findall(r"^\| [A-Z, ]+ \| `([^`]+)`", page, re.M))
    paths = {route.path for route in ROUTES}
    asked_for = {path for path in paths if "well-known" in path or "<" in path}
    ours = {"/feed", "/receipts", "/logo"}  # no standard has a name for them
    rules = {rule.rule for rule in world.app.url_map.iter_rules() if rule.endpoint != "static"}

    assert named == paths - asked_for - ours
    assert listed == rules


def test_every_endpoint_says_what_it_is_and_by_which_standard(pages: dict[str, str]) -> None:
    lines = re.findall(r"^\| [A-Z].*", pages["endpoints.md"], re.M)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]

    assert [row for row in rows if len(row[3]) < 5] == []
    assert [row for row in rows if len(row) == 6 and not row[4]] == []


def test_every_setting_is_explained_and_every_explanation_is_of_a_setting(
    generate: ModuleType, pages: dict[str, str]
) -> None:
    settings = set(re.findall(r"^\| `([\w.]+)`", pages["configuration.md"], re.M))

    assert set(generate.meanings()) == settings


def test_the_page_of_policies_tells_of_each_when_to_choose_it_and_which_settings_it_has() -> None:
    page = (ROOT / "docs" / "policies.md").read_text()
    told = tomllib.loads((ROOT / "docs" / "policies.toml").read_text())
    settings = (ROOT / "docs" / "configuration.md").read_text()
    chart = page[page.index("flowchart") : page.index("## All of them")]

    assert set(told) == set(POLICIES) == set(re.findall(r"^## `(\w+)`$", page, re.M))
    assert [name for name in POLICIES if f"[{name}" not in chart] == []
    assert page.count("sequenceDiagram") == len(POLICIES)
    assert [s for own in told.values() for s in own["settings"] if f"`{s}`" not in settings] == []


def test_the_embedded_configuration_is_the_default() -> None:
    assert load(ROOT / "config" / "embedded.toml", environ={}) == load(environ={})


@pytest.mark.parametrize("name", ["demo.toml", "production.toml"])
def test_the_other_configurations_can_be_used(name: str) -> None:
    secret = {"IDP_SECRET": "a secret that is only good for tests, and long"}

    assert load(ROOT / "config" / name, environ=secret)


@pytest.mark.parametrize("name", ["house.md", "flow.md", "operations.md", "threat-model.md"])
def test_a_page_names_files_settings_and_findings_that_exist(name: str) -> None:
    text = (ROOT / "docs" / name).read_text()
    named = re.findall(r"`((?:[a-z_]+/)*[a-z_]+(?:\.py|/))`", text)
    settings = re.findall(r"`((?:lifetimes|server|worker|registration)\.\w+)", text)
    known = (ROOT / "docs" / "configuration.md").read_text()
    doctor = (ROOT / "idp" / "cli" / "system.py").read_text()

    there = (ROOT, ROOT / "idp")
    assert [path for path in named if not any((at / path).exists() for at in there)] == []
    assert [setting for setting in settings if f"`{setting}`" not in known] == []
    assert [code for code in re.findall(r"\b[WE]00\d", text) if f'"{code}"' not in doctor] == []


def test_operations_explains_every_finding_of_the_doctor() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    doctor = (ROOT / "idp" / "cli" / "system.py").read_text()

    assert set(re.findall(r'"([WE]\d{3})"', doctor)) == set(
        re.findall(r"^\| ([WE]\d+)", text, re.M)
    )


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md"), key=str))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []
