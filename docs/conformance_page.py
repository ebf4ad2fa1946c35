"""The plans of the certification, for docs/conformance.md."""

from tests.conformance.marks import PLANS
from tests.conformance.tables import ENDS, MISSING, Shown, counts, plans

INTRO = """
## Plans of the OpenID certification

A module of the OpenID Foundation's suite is a test of ours that sends what the module sends.
These are our own runs of them, on SQLite and PostgreSQL, and no certificate.
What is skipped is skipped by choice, and the reason stands beside it.
A plan without a table is not run yet.

"""


def plan_tables() -> str:
    """A line for each plan, and a table for each that is run."""
    text = INTRO + _row("plan", *ENDS) + _row(*["---"] * (len(ENDS) + 1))
    for key, of in counts().items():
        text += _row(f"`{PLANS[key].title}`", *(str(of[end]) for end in ENDS))
    for key, modules in plans().items():
        if any(shown.state != MISSING for shown in modules.values()):
            text += _plan(key, modules)
    return text


def _plan(key: str, modules: dict[str, Shown]) -> str:
    runs = ", ".join(f"`{variant}`" for variant in PLANS[key].variants)
    text = f"\n### {PLANS[key].title}\n\nRun as {runs}.\n\n"
    text += _row("module", "ends", "tests") + _row("---", "---", "---")
    for name, shown in modules.items():
        why = shown.skip or shown.warning
        ends = f"{shown.state}: {why}" if why else shown.state
        tests = [f"[{_sentence(test)}](../{path})" for path, test in shown.tests]
        text += _row(f"`{name}`", ends, "<br>".join(tests))
    return text


def _sentence(test: str) -> str:
    return test.removeprefix("test_").replace("_", " ")


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |\n"
