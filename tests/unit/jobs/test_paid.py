"""What was paid for elsewhere, as several witnesses tell it."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.failures import FailureKind
from jobs.paid import PaidByBoth, PaidSubmit, by_fingerprint

AT = datetime(2026, 11, 20, 22, tzinfo=UTC)


def submit(said: str, hours: int, request_id: str | None = None, ended: str | None = None) -> PaidSubmit:
    return PaidSubmit(said, "night", "/other.db", AT + timedelta(hours=hours), request_id, ended)


def test_a_ledger_knows_better_than_a_journal() -> None:
    """It has how a request ended. What the journal alone has counts as well, answered or not."""
    ledger = [submit("fox", 2, "req-2", FailureKind.REMOTE_FAILED), submit("fox", 4)]
    journals = [submit("fox", 2, "req-2"), submit("fox", 1, "req-1"), submit("fox", 3), submit("owl", 5)]
    both = PaidByBoth(by_fingerprint(ledger), by_fingerprint(journals))
    assert both["fox"] == [journals[1], ledger[0], journals[2], ledger[1]]
    assert both["owl"] == [journals[3]]
    assert (list(both), len(both), bool(both)) == (["fox", "owl"], 2, True)


def test_what_nobody_knows() -> None:
    """Nothing is looked up to say that there is nothing."""
    none = PaidByBoth({}, {})
    assert not none
    assert none.get("fox") is None
    with pytest.raises(KeyError):
        none["fox"]
    assert PaidByBoth({}, by_fingerprint([submit("fox", 1)]))
    assert PaidByBoth(by_fingerprint([submit("fox", 1)]), {})
