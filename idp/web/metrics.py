"""Numbers for operators, as Prometheus reads them.

How many requests and how long they took is counted in each process. How many sign-outs there
were and which notices wait is asked of the store, where it is true for all processes. A label
is never something that a caller made up.
"""

import os
import time
from collections.abc import Iterator

from flask import Flask, Response, current_app, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from idp.domain import Provider

METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"}
SHARED = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
# Most answers take a few milliseconds; a password takes the time of its hash.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Requests:
    """What this process has answered."""

    def __init__(self) -> None:
        # Asked anew: the server may have named a folder since the library was loaded.
        values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._kept: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._answered = Counter(
            "idp_requests",
            "Requests that were answered.",
            ("endpoint", "method", "status"),
            registry=self.registry,
        )
        self._took = Histogram(
            "idp_request_seconds",
            "How long an answer took.",
            ("endpoint",),
            buckets=BUCKETS,
            registry=self.registry,
        )

    def begin(self) -> None:
        """A request came in."""
        g.began = time.perf_counter()

    def end(self, response: Response) -> Response:
        """It was answered."""
        endpoint = request.url_rule.rule if request.url_rule is not None else "none"
        method = request.method if request.method in METHODS else "other"
        self.count(endpoint, method, response.status_code, g.began)
        return response

    def count(self, endpoint: str, method: str, status: int, began: float) -> None:
        """One more answer; `began` as `time.perf_counter` told it."""
        answered, took = self._kept_for(endpoint, method, status)
        answered.inc()
        took.observe(time.perf_counter() - began)

    def _kept_for(self, endpoint: str, method: str, status: int) -> tuple[Counter, Histogram]:
        """Where this kind of answer is counted, looked up once: there are not many kinds."""
        kind = (endpoint, method, status)
        if kind not in self._kept:
            answered = self._answered.labels(endpoint, method, str(status))
            self._kept[kind] = answered, self._took.labels(endpoint)
        return self._kept[kind]


class Store:
    """What the store knows, asked when somebody wants to know."""

    def __init__(self, op: Provider) -> None:
        self._op = op

    def collect(self) -> Iterator[Metric]:
        """Sign-outs, and notices that are not delivered."""
        now = current_app.extensions["idp.clock"]()
        sign_outs = GaugeMetricFamily(
            "idp_sign_outs_last_hour", "Sign-outs of the last hour.", labels=("scope", "reason")
        )
        for scope, reason, number in self._op.sign_outs.receipts.of_the_last_hour(now):
            sign_outs.add_metric((scope, reason), number)
        yield sign_outs
        backlog = self._op.sign_outs.deliveries.backlog(now)
        notices = GaugeMetricFamily(
            "idp_deliveries", "Notices that are not delivered.", labels=("state",)
        )
        notices.add_metric(("waiting",), backlog.waiting)
        notices.add_metric(("dead",), backlog.dead)
        yield notices
        yield GaugeMetricFamily(
            "idp_delivery_oldest_seconds",
            "The age of the oldest notice that waits; 0 when none does.",
            value=backlog.oldest.total_seconds(),
        )


def measure(app: Flask) -> Requests:
    """Count every request from here on; what refuses requests early must come after."""
    requests = Requests()
    app.extensions["idp.requests"] = requests
    app.before_request(requests.begin)
    app.after_request(requests.end)
    return requests


def text(op: Provider) -> bytes:
    """Everything in the text format. The processes of one server share their counts in a
    folder, so that it does not matter which of them is asked.
    """
    registry: CollectorRegistry = current_app.extensions["idp.requests"].registry
    if os.environ.get(SHARED):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    store = CollectorRegistry()
    store.register(Store(op))
    return generate_latest(registry) + generate_latest(store)
