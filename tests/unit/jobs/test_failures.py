"""What went wrong, as data: the words are a contract with whoever reads a manifest."""

import dataclasses

import pytest

from jobs.failures import FETCH_AGAIN, Failure, FailureKind


def test_the_kinds_are_the_manifests_words() -> None:
    """Scripts compare these strings."""
    assert sorted(FailureKind) == sorted(
        [
            "refused",
            "moderated",
            "remote_failed",
            "no_images",
            "bad_picture",
            "blocked",
            "expired",
            "lost",
            "unconfirmed",
            "cancelled",
            "discarded",
        ]
    )


@pytest.mark.parametrize(
    "kind",
    [
        FailureKind.REFUSED,
        FailureKind.MODERATED,
        FailureKind.REMOTE_FAILED,
        FailureKind.LOST,
        FailureKind.UNCONFIRMED,
        FailureKind.CANCELLED,
        FailureKind.DISCARDED,
    ],
)
def test_what_the_api_ended_is_not_fetched_again(kind: FailureKind) -> None:
    """Asking again for what failed, was cancelled or is unknown there would never end otherwise."""
    assert kind not in FETCH_AGAIN


def test_what_was_done_at_the_api_is_fetched_again_for_free() -> None:
    """A retry of these must not become a second paid submit."""
    assert {"no_images", "bad_picture", "blocked", "expired"} == FETCH_AGAIN


def test_a_failure_does_not_change() -> None:
    """It is handed from the one who saw it to the one who writes it down."""
    found = Failure(FailureKind.LOST, "The API does not know it.")
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.message = "something else"  # type: ignore[misc]
