"""Demo traffic: the same for the same seed, and as varied as a real shop's."""

from collections import Counter
from random import Random

from errorstack_live import fingerprint, meaning
from errorstack_live.demo import Traffic
from errorstack_live.model import Level


def test_traffic_repeats_with_its_seed() -> None:
    first, second = Traffic(Random(7)), Traffic(Random(7))
    assert [first.error() for _ in range(50)] == [second.error() for _ in range(50)]


def test_traffic_has_common_and_rare_issues_of_every_level() -> None:
    traffic = Traffic(Random(7))
    errors = [traffic.error() for _ in range(2000)]
    meanings = [meaning.read(fields) for fields in errors]
    assert {what.level for what in meanings} >= set(Level) - {Level.DEBUG}
    issues = Counter(
        fingerprint.of(what, fields) for what, fields in zip(meanings, errors, strict=True)
    )
    assert len(issues) >= 10
    assert max(issues.values()) > 20 * min(issues.values())


def test_traffic_brings_log_messages_now_and_then() -> None:
    traffic = Traffic(Random(7))
    logs = [traffic.logs() for _ in range(400)]
    assert 50 < sum(map(len, logs)) < 200
