"""What this process counts of itself, for Prometheus (``/metrics``)."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from errorstack_live.model import Kind, OutcomeKind

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """One process's figures; names and labels are listed in ``docs/operating.md``."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._submissions = Counter(
            "errorstack_submissions",
            "Submissions by kind and outcome: accepted, or the reason of refusal.",
            ("kind", "outcome"),
            registry=self._registry,
        )
        self._batch_documents = Histogram(
            "errorstack_batch_documents",
            "Documents made durable in one batch.",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
            registry=self._registry,
        )
        self._batch_seconds = Histogram(
            "errorstack_batch_seconds",
            "Seconds until a batch was durable.",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2),
            registry=self._registry,
        )
        self._accepted = {
            kind: self._submissions.labels(kind, OutcomeKind.ACCEPTED) for kind in Kind
        }

    def count(self, kind: Kind, outcome: str) -> None:
        """Count one submission: ``accepted``, or the reason it was refused."""
        if outcome == OutcomeKind.ACCEPTED:
            self._accepted[kind].inc()
        else:
            self._submissions.labels(kind, outcome).inc()

    def outcomes(self) -> dict[tuple[str, str], int]:
        """How many submissions of each kind ended how, since the process began."""
        return {
            (sample.labels["kind"], sample.labels["outcome"]): int(sample.value)
            for family in self._submissions.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        }

    def batch(self, documents: int, seconds: float) -> None:
        """Observe one batch that was written."""
        self._batch_documents.observe(documents)
        self._batch_seconds.observe(seconds)

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Report what ``read`` answers at the time of asking as ``errorstack_<name>``."""
        Gauge(f"errorstack_{name}", text, registry=self._registry).set_function(read)

    def total(self, name: str, text: str, read: Callable[[], float]) -> None:
        """The same for a figure that only grows: ``errorstack_<name>_total``."""
        self._registry.register(_Total(f"errorstack_{name}", text, read))

    def text(self) -> bytes:
        """The exposition, of CONTENT_TYPE."""
        return generate_latest(self._registry)


class _Total(Collector):
    """A counter that another part keeps."""

    def __init__(self, name: str, text: str, read: Callable[[], float]) -> None:
        self._name = name
        self._text = text
        self._read = read

    def collect(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily(self._name, self._text, value=self._read())
