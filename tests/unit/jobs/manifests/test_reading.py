"""Manifests read back."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.errors import UsageProblem
from jobs.failures import Failure, FailureKind
from jobs.manifests.reading import ManifestError, ManifestReview, read_manifest
from jobs.manifests.record import record
from jobs.review.decisions import DecisionSource, DecisionView, Verdict
from jobs.states import JobState
from jobs.views import ArtifactView, Twin
from tests.support.manifests import view

WHEN = datetime(2026, 3, 4, 1, 2, 3, tzinfo=UTC)


def written(folder: Path, *lines: object) -> Path:
    path = folder / "manifest.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Every field of a record, with an image at a path that can be opened from here."""
    image = ArtifactView(
        1, str(tmp_path / "a" / "01.jpg"), "https://p/1.jpg", "a" * 64, 10, 2, 3, "image/jpeg"
    )
    failure = Failure(FailureKind.MODERATED, "no", "400010")
    first = view(images=(image,), warnings=("small",), columns={"mood": "calm"}, finished_at=WHEN)
    second = view(key="b", state=JobState.FAILED, failure=failure)
    path = written(tmp_path, record(first, tmp_path), record(second, tmp_path))
    one, two = read_manifest(path)
    assert (one.key, one.state, one.inputs, one.columns) == (
        "a",
        "succeeded",
        {"prompt": "A pier", "seed": 7},
        {"mood": "calm"},
    )
    assert (one.images[0].path, one.images[0].width) == (tmp_path / "a" / "01.jpg", 2)
    assert (one.finished_at, one.error, one.warnings) == ("2026-03-04T01:02:03Z", None, ("small",))
    assert two.error == ManifestError("moderated", "400010", "no")
    assert [*read_manifest(tmp_path)] == [one, two], "the batch's folder will do"


def test_what_was_decided_is_read(tmp_path: Path) -> None:
    """Beside its image; None where nothing was."""
    images = tuple(ArtifactView(n, str(tmp_path / "01.jpg"), "u", "a", 1, 1, 1, "image/jpeg") for n in (1, 2))
    decision = DecisionView(1, "a", Verdict.REROLL, 2, "hands", WHEN, DecisionSource.PAGE)
    written(tmp_path, record(view(images=images, decisions=(decision,)), tmp_path))
    (one,) = read_manifest(tmp_path)
    assert [image.review for image in one.images] == [ManifestReview("reroll", 2, "hands"), None]


def test_a_job_that_was_not_sent_itself(tmp_path: Path) -> None:
    """It has the key of the other; and fields of a later version do not matter."""
    told = record(view(twin=Twin(9, "z", JobState.SUCCEEDED, current=True, alike=True)), tmp_path) | {
        "mood": "new"
    }
    (one,) = read_manifest(written(tmp_path, told))
    assert one.same_as == "z"


@pytest.mark.parametrize("lines", [[[]], [1], [{"key": "a"}], ["text"]])
def test_another_file_is_refused(tmp_path: Path, lines: list[object]) -> None:
    """In words."""
    with pytest.raises(UsageProblem, match="no manifest"):
        list(read_manifest(written(tmp_path, *lines)))


def test_a_csv_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    """In words."""
    (tmp_path / "manifest.csv").write_text("batch,key\nnight,a\n")
    with pytest.raises(UsageProblem, match="no manifest in JSON Lines"):
        list(read_manifest(tmp_path / "manifest.csv"))
    with pytest.raises(UsageProblem, match="cannot be read: No such file"):
        list(read_manifest(tmp_path))
