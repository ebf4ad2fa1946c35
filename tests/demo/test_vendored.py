"""The chart library that the demo carries: what npm published, with its licence."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.spec import spec

ROOT = Path(__file__).parents[2]
HERE = ROOT / "client_demo" / "static" / "vendor" / "chart.js"
NODE = ROOT / "tests" / "node"
LIBRARY, LICENCE = "chart.umd.min.js", "LICENSE.md"


def locked() -> dict[str, str]:
    """What npm's registry says of it, as the lock file keeps it."""
    lock = json.loads((NODE / "package-lock.json").read_text())
    found: dict[str, str] = lock["packages"]["node_modules/chart.js"]
    return found


@spec("product: nothing is fetched from elsewhere")
def test_what_the_demo_carries_is_what_was_recorded() -> None:
    recorded = dict(line.split()[::-1] for line in (HERE / "SHA256SUMS").read_text().splitlines())

    assert set(recorded) == {LIBRARY, LICENCE}
    for name, digest in recorded.items():
        assert sha256((HERE / name).read_bytes()).hexdigest() == digest


@spec("product: nothing is fetched from elsewhere")
def test_its_version_its_licence_and_its_origin_are_written_down() -> None:
    version = locked()["version"]

    assert f"Chart.js v{version}\n" in (HERE / LIBRARY).read_text()[:100]
    assert f"Chart.js {version} " in (ROOT / "NOTICE").read_text()
    assert locked()["license"] == "MIT"
    assert (HERE / LICENCE).read_text().startswith("The MIT License")
    assert locked()["integrity"].startswith("sha512-")


@spec("product: nothing is fetched from elsewhere")
@pytest.mark.journey
@pytest.mark.xdist_group("journeys")
def test_it_is_byte_for_byte_what_npm_published() -> None:
    """npm has held the package against the registry's hash when it was installed."""
    package = NODE / "node_modules" / "chart.js"

    assert (package / "dist" / LIBRARY).read_bytes() == (HERE / LIBRARY).read_bytes()
    assert (package / LICENCE).read_bytes() == (HERE / LICENCE).read_bytes()
