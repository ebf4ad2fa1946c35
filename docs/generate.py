"""Make the pages that are read off the code: endpoints, configuration, conformance, policies.

`make docs` runs it; a test fails when a page is not what this would write.
"""

import ast
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from docs.conformance_page import plan_tables  # noqa: E402
from docs.policies_page import policies_page  # noqa: E402
from idp.settings import LISTS, Settings  # noqa: E402
from idp.web.endpoints import ROUTES, Route  # noqa: E402
from tests.support.world import World, make_world  # noqa: E402

OP = "https://op.test"
NOTE = "<!-- Made by `make docs`; change what it is made from. -->\n"
SPELLED = re.compile(r"\(([^()]*(?:RFC \d|OpenID|Core|Discovery|Logout)[^()]*)\)")
SETTING = re.compile(r"^(?:# )?(\w+) = .*?  # (.+)$")
STANDARDS = (
    "RFC",
    "OpenID",
    "FAPI",
    "Core",
    "RP-Initiated",
    "Back-Channel",
    "OAuth",
    "WCAG",
    "WebAuthn",
)
LIMITS = {"ge": "at least", "le": "at most"}


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        (ROOT / "docs" / name).write_text(text)


def pages() -> dict[str, str]:
    """Each page by its file name, as it should be."""
    with tempfile.TemporaryDirectory() as data:
        world = make_world(Path(data), IDP_REGISTRATION__MODE="token")
        return {
            "endpoints.md": endpoints(world),
            "configuration.md": configuration(),
            "conformance.md": conformance(),
            "policies.md": policies_page(NOTE),
        }


def endpoints(world: World) -> str:
    """What answers where."""
    said = world.http().get("/.well-known/openid-configuration").json
    members = {v.removeprefix(OP): k for k, v in said.items() if str(v).startswith(f"{OP}/")}
    protocol = [_protocol_row(route, members) for route in ROUTES]
    known = {route.path for route in ROUTES}
    rules = [r for r in world.app.url_map.iter_rules() if r.rule not in known]
    others = [
        (
            ", ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})),
            f"`{rule.rule}`",
            _code(members.get(rule.rule)),
            _first_line(world.app.view_functions[rule.endpoint].__doc__),
        )
        for rule in sorted(rules, key=lambda rule: rule.rule)
        if rule.endpoint != "static"
    ]
    return (
        f"{NOTE}# Which endpoints are there?\n\n"
        "Protocol endpoints, for clients and APIs. "
        "Those open to other origins may be called by scripts of any page, never with cookies.\n\n"
        + _table(("method", "path", "in discovery", "what", "standard", "other origins"), protocol)
        + "\nPages and the rest, for people and operators.\n\n"
        + _table(("method", "path", "in discovery", "what"), others)
    )


def _protocol_row(route: Route, members: dict[str, str]) -> tuple[str, ...]:
    said = f"{route.endpoint.__doc__} {sys.modules[route.endpoint.__module__].__doc__}"
    found = SPELLED.search(" ".join(said.split()))
    return (
        ", ".join(route.methods),
        f"`{route.path}`",
        _code(members.get(route.path)),
        _first_line(route.endpoint.__doc__),
        found.group(1) if found else "",
        "yes" if route.cors else "no",
    )


def configuration() -> str:
    """Every setting, with the words that config/embedded.toml has for it."""
    means = meanings()
    rows = [
        (
            f"`{name}`",
            f"`IDP_{name.upper().replace('.', '__')}`",
            _default(name, field),
            means.get(name, ""),
            _limits(field),
        )
        for name, field in _fields(Settings)
    ]
    return (
        f"{NOTE}# Which settings are there?\n\n"
        "The environment wins over the file (`idp --config FILE`, or `IDP_CONFIG`), and the file "
        "over the defaults.\n"
        "Any variable may end in `_FILE` and name a file that holds the value.\n"
        f"Lists ({', '.join(f'`{name}`' for name in sorted(LISTS))}) are separated by commas in "
        "the environment.\n"
        "A setting nobody knows is refused at start, with a suggestion.\n\n"
        + _table(("setting", "environment", "default", "what it means", "limits"), rows)
    )


def meanings() -> dict[str, str]:
    """The comment beside each setting in config/embedded.toml, by the setting's whole name."""
    found: dict[str, str] = {}
    room = ""
    for line in (ROOT / "config" / "embedded.toml").read_text().splitlines():
        if line.startswith("["):
            room = line[1 : line.index("]")] + "."
        elif setting := SETTING.match(line):
            found[room + setting.group(1)] = setting.group(2)
    return found


def _fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _fields(kind, f"{prefix}{name}.")
        else:
            yield prefix + name, field


def _default(name: str, field: FieldInfo) -> str:
    value: Any = field.default
    if name.rsplit(".", 1)[-1] in LISTS:
        return " ".join(f"`{item}`" for item in value) or "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if value not in ("", None) else "none"


def _limits(field: FieldInfo) -> str:
    choices = [str(choice) for choice in get_args(field.annotation) if isinstance(choice, str)]
    if choices:
        return "one of " + ", ".join(f"`{choice}`" for choice in choices)
    bounds = [
        (word, getattr(rule, name, None))
        for rule in field.metadata
        for name, word in LIMITS.items()
    ]
    return ", ".join(f"{word} {bound}" for word, bound in bounds if bound is not None)


def conformance() -> str:
    """Which tests prove which clause."""
    proofs: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for clause, test in _proven(path):
            there = f"[{_sentence(test)}](../{path.relative_to(ROOT)})"
            proofs.setdefault(clause, []).append(there)
    text = (
        f"{NOTE}# Which test proves which clause?\n\n"
        "Each line is a clause and the tests marked with it; "
        "the plans of the certification are at the end.\n"
        "A clause that is not here is not proven; the README says what is not supported at all.\n"
    )
    for title, clauses in _grouped(sorted(proofs, key=_natural)):
        rows = [(clause, "<br>".join(proofs[clause])) for clause in clauses]
        text += f"\n## {title}\n\n" + _table(("clause", "tests"), rows)
    return text + plan_tables()


def _proven(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        for call in (c for d in node.decorator_list for c in ast.walk(d)):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "spec":
                for said in call.args:
                    if isinstance(said, ast.Constant):
                        yield str(said.value), node.name


def _grouped(clauses: list[str]) -> Iterator[tuple[str, list[str]]]:
    standards = [c for c in clauses if c.startswith(STANDARDS)]
    flaws = [c for c in clauses if re.match(r"CVE-|KC#|GHSA-", c)]
    rest = [c for c in clauses if c not in {*standards, *flaws}]
    yield "Standards", standards
    yield "Flaws that others had", flaws
    yield "Our own list of threats and promises", rest


def _natural(clause: str) -> list[tuple[int, str]]:
    return [(int(n or -1), word) for word, n in re.findall(r"([^\d]+)|(\d+)", clause)]


def _sentence(test: str) -> str:
    return test.removeprefix("test_").replace("_", " ")


def _first_line(doc: str | None) -> str:
    return " ".join((doc or "").split("\n\n")[0].split())


def _code(member: str | None) -> str:
    return f"`{member}`" if member else ""


def _table(names: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [names, tuple("---" for _ in names), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )


if __name__ == "__main__":
    main()
