"""Manifests on disk: whole, or not at all."""

import asyncio
import csv
import errno
import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from jobs.errors import CannotWrite, UsageProblem
from jobs.manifests import FORMATS, format_for, write_export, write_manifests, write_to_stream
from jobs.sheets.planned import PlannedJob
from jobs.store.bulk.records import Page
from jobs.store.sqlite.database import open_database
from jobs.store.store import Store
from jobs.views import BatchView

NOW = datetime(2026, 3, 4, tzinfo=UTC)
JOBS = 1050  # more than two pages


def planned(position: int, prefix: str = "job") -> PlannedJob:
    return PlannedJob(
        position=position,
        row=position + 2,
        key=f"{prefix}-{position}",
        fingerprint=f"{position:064x}",
        model="bytedance/seedream-4-5/text-to-image",
        inputs={"prompt": f"p{position}"},
        columns={"note": str(position)},
        warnings=(),
        pictures=1,
    )


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_database(tmp_path / "db", create=True) as database:
        yield Store(database, lambda: NOW)


async def loaded(store: Store, tmp_path: Path, prefix: str = "job", jobs: int = JOBS) -> BatchView:
    batch, _ = await store.batches.load(
        name="night",
        sheet=tmp_path / "night.csv",
        origin="https://api",
        planned=(planned(position, prefix) for position in range(jobs)),
    )
    return batch


async def test_a_record_a_job_in_sheet_order(store: Store, tmp_path: Path) -> None:
    """Both files, in a folder that did not exist, and nothing else in it."""
    batch = await loaded(store, tmp_path)
    folder = tmp_path / "out" / "night"
    paths = await write_manifests(store, batch, folder)
    assert paths == (folder / "manifest.jsonl", folder / "manifest.csv")
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.csv", "manifest.jsonl"]
    records = [json.loads(line) for line in paths[0].read_text("utf-8").splitlines()]
    assert [record["key"] for record in records] == [f"job-{position}" for position in range(JOBS)]
    with paths[1].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["columns.note"] for row in rows] == [str(position) for position in range(JOBS)]


async def test_what_left_the_sheet_comes_only_on_demand(store: Store, tmp_path: Path) -> None:
    """The manifest is the sheet's; `everything` adds the rest."""
    await loaded(store, tmp_path, "old", 3)
    batch = await loaded(store, tmp_path, "new", 2)
    path = tmp_path / "m.jsonl"
    await write_export(store, batch, FORMATS["jsonl"], path)
    assert len(path.read_text().splitlines()) == 2
    await write_export(store, batch, FORMATS["jsonl"], path, everything=True)
    assert len(path.read_text().splitlines()) == 5


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
async def test_whole_or_not_at_all(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """A disk that fills up leaves the old file as it was, and nothing half-written."""
    batch = await loaded(store, tmp_path)
    path = tmp_path / "out" / "manifest.jsonl"
    path.parent.mkdir()
    path.write_text("old")
    calls = 0

    def full(*_: Any) -> int:
        nonlocal calls
        calls += 1
        raise OSError(errno.ENOSPC, "No space left on device")

    if call == "replace":
        monkeypatch.setattr(Path, "replace", full)
    else:
        monkeypatch.setattr(f"jobs.disk.atomic_file.os.{call}", full)
    with pytest.raises(CannotWrite) as told:
        await write_export(store, batch, FORMATS["jsonl"], path)
    monkeypatch.undo()
    assert calls == 1
    assert "No space left on device" in told.value.message
    assert str(path) in told.value.message
    assert [(p.name, p.read_text()) for p in path.parent.iterdir()] == [("manifest.jsonl", "old")]


async def test_short_writes_lose_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write may take a part of what it is given."""
    batch = await loaded(store, tmp_path, jobs=3)
    real = os.write
    monkeypatch.setattr("jobs.disk.atomic_file.os.write", lambda fd, data: real(fd, bytes(data[:7])))
    path = tmp_path / "m.jsonl"
    await write_export(store, batch, FORMATS["jsonl"], path)
    monkeypatch.undo()
    assert [json.loads(line)["key"] for line in path.read_text().splitlines()] == ["job-0", "job-1", "job-2"]


async def test_a_job_that_cannot_be_told_leaves_the_old_file(store: Store, tmp_path: Path) -> None:
    """Whatever goes wrong in between, a reader never sees half a manifest."""
    batch = await loaded(store, tmp_path, jobs=3)
    path = tmp_path / "m.jsonl"
    path.write_text("old")

    class Broken:
        def pages(self, *_: Any, **__: Any) -> AsyncIterator[Page]:
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        await write_export(SimpleNamespace(records=Broken()), batch, FORMATS["jsonl"], path)  # type: ignore[arg-type]
    assert path.read_text() == "old"
    assert [name for name in os.listdir(tmp_path) if name.endswith(".part")] == []  # noqa: PTH208


async def test_a_folder_or_a_file_in_the_way(store: Store, tmp_path: Path) -> None:
    """Told in a sentence, and left alone."""
    batch = await loaded(store, tmp_path, jobs=1)
    with pytest.raises(CannotWrite, match="is a folder"):
        await write_export(store, batch, FORMATS["jsonl"], tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(CannotWrite, match="cannot be written"):
        await write_manifests(store, batch, tmp_path / "file" / "night")


@pytest.mark.parametrize("name", ["manifest.jsonl", "manifest.csv"])
async def test_what_is_no_manifest_is_not_replaced_by_a_run(store: Store, tmp_path: Path, name: str) -> None:
    """The folder is a run's, and a sheet of that name may lie in it; a manifest makes room for the next."""
    batch = await loaded(store, tmp_path, jobs=1)
    first, second = [path.read_bytes() for path in await write_manifests(store, batch, tmp_path)]
    assert await write_manifests(store, batch, tmp_path)
    (tmp_path / name).write_text("id,prompt\nx,y\n")
    with pytest.raises(CannotWrite, match=f"{name} is there already, and is no manifest of") as told:
        await write_manifests(store, batch, tmp_path)
    assert "Nothing is lost" in told.value.hint
    assert (tmp_path / name).read_text() == "id,prompt\nx,y\n"
    (tmp_path / name).write_bytes(b"")
    await write_manifests(store, batch, tmp_path)
    assert (tmp_path / name).read_bytes() == (first if name.endswith("jsonl") else second)


async def test_what_cannot_be_read_is_not_replaced_by_a_run(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows what it is; what the system says is told, which may be about us."""
    batch = await loaded(store, tmp_path, jobs=1)
    (tmp_path / "manifest.jsonl").write_text("mine")
    told = OSError(errno.EMFILE, "Too many open files")
    monkeypatch.setattr("jobs.manifests.ownership.is_manifest", Mock(side_effect=told))
    with pytest.raises(CannotWrite, match=r"manifest.jsonl cannot be read: Too many open files\."):
        await write_manifests(store, batch, tmp_path)
    assert (tmp_path / "manifest.jsonl").read_text() == "mine"


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")
async def test_a_run_follows_no_link_and_waits_for_no_pipe(store: Store, tmp_path: Path) -> None:
    """Nobody named that place: what lies behind it is somebody's, be it there or not, a manifest or not."""
    batch = await loaded(store, tmp_path, jobs=1)
    place, behind = tmp_path / "out" / "manifest.jsonl", tmp_path / "x"
    place.parent.mkdir()
    place.symlink_to(behind)
    for held in (None, b"mine", b""):
        if held is not None:
            behind.write_bytes(held)
        with pytest.raises(CannotWrite, match="is a link, which is not followed"):
            await write_manifests(store, batch, place.parent)
        assert (behind.read_bytes() if behind.exists() else None) == held
    place.unlink()
    os.mkfifo(place)
    with pytest.raises(CannotWrite, match="is no manifest"):
        await write_manifests(store, batch, place.parent)


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")
async def test_a_link_stays_a_link(store: Store, tmp_path: Path) -> None:
    """The file behind it is replaced."""
    batch = await loaded(store, tmp_path, jobs=1)
    (tmp_path / "real.jsonl").write_text("old")
    link = tmp_path / "link.jsonl"
    link.symlink_to("real.jsonl")
    await write_export(store, batch, FORMATS["jsonl"], link)
    assert link.is_symlink()
    assert json.loads((tmp_path / "real.jsonl").read_text())["key"] == "job-0"


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")
async def test_a_link_that_leads_to_itself_is_told(store: Store, tmp_path: Path) -> None:
    """In words."""
    batch = await loaded(store, tmp_path, jobs=1)
    loop = tmp_path / "loop.jsonl"
    loop.symlink_to(loop)
    with pytest.raises(CannotWrite, match="leads to itself"):
        await write_export(store, batch, FORMATS["jsonl"], loop)


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")
async def test_a_pipe_is_written_to(store: Store, tmp_path: Path) -> None:
    """It is no file that could be replaced, and /dev/null must not become one."""
    batch = await loaded(store, tmp_path, jobs=1)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = asyncio.create_task(asyncio.to_thread(pipe.read_bytes))
    await write_export(store, batch, FORMATS["jsonl"], pipe)
    assert json.loads(await reading)["key"] == "job-0"
    assert pipe.is_fifo()


async def test_pour_gives_bytes_away(store: Store, tmp_path: Path) -> None:
    """To standard output, for one; the same bytes as in a file."""
    batch = await loaded(store, tmp_path)
    got: list[bytes] = []
    await write_to_stream(store, batch, FORMATS["csv"], got.append, folder=tmp_path)
    path = tmp_path / "m.csv"
    await write_export(store, batch, FORMATS["csv"], path)
    assert b"".join(got) == path.read_bytes()
    assert len(got) > 3  # in pieces


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.csv", "csv"), ("a.CSV", "csv"), ("a.jsonl", "jsonl"), ("a", "jsonl")],
)
def test_the_format_that_an_ending_means(name: str, form: str) -> None:
    """JSONL where it means none."""
    assert format_for(Path(name)).name == form


@pytest.mark.parametrize("name", ["a.parquet", "a.xlsx", "a.json", "a.txt"])
def test_an_ending_that_is_not_written_is_refused(name: str) -> None:
    """JSON Lines under the name of a Parquet file would be found out by another program, and late."""
    with pytest.raises(UsageProblem, match="Nothing was written") as refused:
        format_for(Path(name))
    assert ".jsonl or .csv" in refused.value.hint


def test_without_a_file_it_is_jsonl() -> None:
    """On standard output."""
    assert format_for(None).name == "jsonl"
