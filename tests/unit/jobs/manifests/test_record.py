"""A job as the manifest's record."""

import json
import ntpath
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from jobs.failures import Failure, FailureKind
from jobs.manifests.record import dollars, moment, record, relative
from jobs.review.decisions import DecisionSource, DecisionView, Verdict
from jobs.states import JobState
from jobs.views import ArtifactView, JobView
from tests.support.manifests import view


def test_the_record_of_a_job_that_succeeded() -> None:
    """Every key, in the order that the contract names them."""
    image = ArtifactView(1, "/out/night/a/01.jpg", "https://p/1", "ab", 10, 2, 3, "image/jpeg")
    job = view(
        request_id="r-1",
        cost_usd=Decimal("0.08"),
        images=(image,),
        warnings=("one",),
        columns={"note": "n"},
        submitted_at=datetime(2026, 3, 4, 1, 2, 4, 500, tzinfo=UTC),
        finished_at=datetime(2026, 3, 4, 1, 2, 5, tzinfo=UTC),
    )
    found = record(job, Path("/out/night"))
    assert found == {
        "batch": "night",
        "key": "a",
        "row": 2,
        "model": "bytedance/seedream-4-5/sequential",
        "state": "succeeded",
        "inputs": {"prompt": "A pier", "seed": 7},
        "request_id": "r-1",
        "attempts": 1,
        "cost_usd": 0.08,
        "images": [
            {
                "path": "a/01.jpg",
                "url": "https://p/1",
                "sha256": "ab",
                "bytes": 10,
                "width": 2,
                "height": 3,
                "content_type": "image/jpeg",
            }
        ],
        "error": None,
        "warnings": ["one"],
        "columns": {"note": "n"},
        "created_at": "2026-03-04T01:02:03Z",
        "submitted_at": "2026-03-04T01:02:04.000500Z",
        "finished_at": "2026-03-04T01:02:05Z",
    }
    assert list(found) == [
        *("batch", "key", "row", "model", "state", "inputs", "request_id", "attempts", "cost_usd"),
        *("images", "error", "warnings", "columns", "created_at", "submitted_at", "finished_at"),
    ]
    json.dumps(found, allow_nan=False)


def test_what_was_decided_about_an_image_is_told_beside_it() -> None:
    """About that image alone: not about the one that was there before, nor about one without a decision."""
    images = tuple(
        ArtifactView(n, f"/out/{n}.jpg", "u", f"sha {n}", 1, 1, 1, "image/jpeg") for n in (1, 2, 3)
    )
    at = datetime(2026, 3, 4, tzinfo=UTC)
    decisions = (
        DecisionView(1, "sha 1", Verdict.ACCEPTED, 4, "the best", at, DecisionSource.PAGE),
        DecisionView(2, "older", Verdict.REJECTED, 0, "", at, DecisionSource.CLI),
        DecisionView(3, "sha 3", None, 2, "", at, DecisionSource.FILE),
    )
    found = record(view(images=images, decisions=decisions), Path("/out"))["images"]
    assert [image.get("review") for image in found] == [
        {"verdict": "accepted", "stars": 4, "note": "the best"},
        None,
        {"verdict": None, "stars": 2, "note": ""},
    ]
    assert "review" not in found[1]


@pytest.mark.parametrize("state", list(JobState))
def test_the_error_is_told_where_there_is_one_to_tell(state: JobState) -> None:
    """For failed, unconfirmed and cancelled jobs alone."""
    job = replace(view(), state=state, failure=Failure(FailureKind.REFUSED, "bad", "422001"))
    told = record(job, Path("/out"))["error"]
    if state in {JobState.FAILED, JobState.UNCONFIRMED, JobState.CANCELLED}:
        assert told == {"kind": "refused", "code": "422001", "message": "bad"}
    else:
        assert told is None


def test_a_job_that_was_never_sent() -> None:
    """What is not known is null."""
    job: JobView = replace(view(), state=JobState.QUEUED, attempts=0)
    found = record(job, Path("/out"))
    assert (found["request_id"], found["cost_usd"], found["submitted_at"], found["finished_at"]) == (
        None,
    ) * 4


def test_a_path_outside_the_folder() -> None:
    """It is still relative, so that the whole tree can be moved."""
    assert relative("/out/pictures/a/01.jpg", Path("/out/night")) == "../pictures/a/01.jpg"


def test_a_path_on_another_drive_is_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no way from one drive to another; slashes are forward all the same."""
    monkeypatch.setattr(os.path, "relpath", ntpath.relpath)
    monkeypatch.setattr(os, "sep", "\\")
    assert relative("D:\\out\\a\\01.jpg", Path("C:/here")) == "D:/out/a/01.jpg"
    assert relative("C:\\here\\a\\01.jpg", Path("C:/here")) == "a/01.jpg"


def test_times_are_in_utc() -> None:
    """Whatever zone they came in."""
    assert moment(datetime(2026, 3, 4, 3, 0, tzinfo=timezone(timedelta(hours=2)))) == "2026-03-04T01:00:00Z"


@pytest.mark.parametrize(
    ("usd", "number"), [("0.04", "0.04"), ("0.1", "0.1"), ("3", "3.0"), ("0.000001", "1e-06")]
)
def test_money_reads_as_it_was_told(usd: str, number: str) -> None:
    """A JSON number, without digits that nobody told."""
    assert json.dumps(dollars(Decimal(usd))) == number
