"""The guard's figures for Prometheus: `REGISTRY.register(GuardCollector(guard))`.

It needs prometheus-client, which the guard itself does not.
"""

from collections.abc import Iterable

from prometheus_client.core import Metric
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from idp.guard.guard import Guard


class GuardCollector(Collector):
    """How old a guard's knowledge is, how much it knows, and how often it had to ask."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def collect(self) -> Iterable[Metric]:
        """The figures of this moment, named by the API."""
        health = self._guard.health()
        gauges = (
            ("staleness_seconds", "Age of the knowledge of what ended", health["staleness"]),
            ("fresh", "Whether that knowledge may be trusted now", health["fresh"]),
            ("ended_ids", "Ended ids that are remembered", health["ended"]),
            ("tokens", "Verified tokens that are remembered", health["tokens"]),
            ("breaker_open", "Whether the provider is left alone", health["breaker_open"]),
        )
        for name, meaning, value in gauges:
            metric = GaugeMetricFamily(f"idp_guard_{name}", meaning, labels=["audience"])
            metric.add_metric([self._guard.audience], float(value))
            yield metric
        asked = CounterMetricFamily(
            "idp_guard_introspections", "Questions to the provider", labels=["audience"]
        )
        asked.add_metric([self._guard.audience], float(health["introspections"]))
        yield asked
