"""The bench measures what it says it measures."""

import json
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.drive import WrongAnswer
from bench.flows import FLOWS, Again
from bench.report import Samples, summary
from bench.wire import Reply, get


def test_a_wrong_answer_ends_the_bench_and_is_no_figure() -> None:
    conversation = Again(get("/jwks.json"), b'"keys"')

    with pytest.raises(WrongAnswer):
        conversation.hear(Reply(500, b"HTTP/1.1 500", b'{"error":"server_error"}'))


@pytest.mark.parametrize(("ratio", "verdict"), [(3.4, "pass"), (3.6, "FAIL")])
def test_a_flow_above_its_budget_fails(ratio: float, verdict: str) -> None:
    samples = Samples("client_credentials", "sqlite", 3.5, seconds=1.0)
    samples.latencies = [0.001, 0.002]
    samples.processor, samples.database, samples.ratios = [0.0003], [0.0], [ratio]

    assert summary(samples).verdict == verdict


@pytest.mark.slow
def test_every_flow_is_driven_and_measured(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"

    main(["--seconds", "0", "--moment", "0.1", "--stores", "sqlite", "--json", str(file)])

    rows = json.loads(file.read_text())["rows"]
    assert [row["flow"] for row in rows[1:]] == [flow.name for flow in FLOWS]
    assert all(row["requests"] > 0 and row["processor"] > 0 for row in rows)
