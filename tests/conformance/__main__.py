"""`python -m tests.conformance`: how many modules of each plan pass, warn or are skipped."""

from tests.conformance.tables import summary

print(summary())
