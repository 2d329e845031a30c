"""`export` of data sets and sidecars: what is written, what is refused, what is said."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from jobs.datasets import export as exporting
from jobs.datasets import parquet as parquet_rows
from jobs.datasets import webdataset
from jobs.review.decisions import DecisionSource, DecisionWish, Verdict
from jobs.store.store import Store
from tests.support.loaders import loaded
from tests.support.served_page import png
from tests.support.shot import shoot
from tests.unit.jobs.datasets.test_credentials import png_with
from tests.unit.runner.cli.world import SERIES, TEXT, World, job

RED, BLUE, GREEN = png((200, 30, 30)), png((30, 30, 200)), png((30, 200, 30))
COUNT = "from datasets import load_dataset\ntold = len(load_dataset('imagefolder', data_dir='out')['train'])"
FORMATS = ["parquet", "imagefolder", "webdataset"]


@pytest.fixture
def night(world: World) -> World:
    """Four jobs of two models: one with two pictures, one with a strange key, one queued."""
    world.load(
        job(0, "fox", columns={"product": "red fox", "note": "=1"}),
        job(
            1,
            "A/B.c",
            columns={"product": "\ud800"},
            inputs={"prompt": "hare <&>", "resolution": "2K"},
            model=TEXT,
        ),
        job(2, "boat", columns={}, inputs={"prompt": "boat", "sequential_image_generation_options": 3}),
        job(3, "waits"),
    )
    shot(world, "fox", RED, BLUE, warnings=("A warning.",))
    shot(world, "A/B.c", GREEN)
    shot(world, "boat", RED)
    return world


def shot(world: World, key: str, *images: bytes, **changes: Any) -> None:
    """Let a job have pictures."""

    async def inside(store: Store) -> None:
        await shoot(store, world.folder / "outputs", key, *images, **changes)

    world.store(inside)


def decide(world: World, key: str, number: int, **said: Any) -> None:
    """Decide about a picture."""

    async def inside(store: Store) -> None:
        batch = await store.batches.named(None)
        wish = DecisionWish(key, said, number)  # type: ignore[arg-type]
        done = await store.decisions.decide(batch.id, [wish], DecisionSource.CLI)
        assert not done.refused

    world.store(inside)


def written(world: World, form: str, name: str = "out", *more: str) -> Path:
    """Export, which goes well; the place of it."""
    ran = world.run("export", "--format", form, "--output", name, *more)
    assert ran.code == 0, ran.err
    assert ran.out == ""
    return world.folder / name


def samples(folder: Path) -> dict[str, bytes]:
    """All that the shards of a folder hold, by name."""
    found = {}
    for shard in sorted(folder.glob("*.tar")):
        with tarfile.open(shard) as tar:
            for entry in tar:
                file = tar.extractfile(entry)
                assert file is not None
                assert entry.name not in found
                found[entry.name] = file.read()
    return found


def lines(file: Path) -> list[dict[str, Any]]:
    """The records of a file of JSON lines."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


# -- parquet ---------------------------------------------------------------------------------------------


def test_parquet_has_a_typed_row_a_picture(night: World) -> None:
    """In sheet order, zstd, each picture by its path from the file."""
    decide(night, "fox", 2, verdict=Verdict.ACCEPTED, stars=3, note="nice")
    table = parquet.read_table(written(night, "parquet", "sets/night.parquet"))
    kinds = {field.name: str(field.type) for field in table.schema}
    assert kinds["image"] == "string"
    assert kinds["seed"] == kinds["inputs.sequential_image_generation_options"] == "int64"
    assert kinds["warnings"] == "list<element: string>"
    assert kinds["finished_at"] == "timestamp[us, tz=UTC]"
    rows = table.to_pylist()
    assert [(row["key"], row["number"]) for row in rows] == [
        ("fox", 1),
        ("fox", 2),
        ("A/B.c", 1),
        ("boat", 1),
    ]
    assert [row["seed"] for row in rows] == [7, 7, None, None]
    assert [row["columns.product"] for row in rows] == ["red fox", "red fox", "\\ud800", None]
    assert rows[2]["prompt"] == "hare <&>"
    assert rows[2]["inputs.resolution"] == "2K"
    assert (rows[1]["verdict"], rows[1]["stars"], rows[1]["note"]) == ("accepted", 3, "nice")
    assert (rows[0]["verdict"], rows[0]["stars"], rows[0]["note"]) == (None, 0, None)
    assert rows[0]["warnings"] == ["A warning."]
    assert (night.folder / "sets" / rows[1]["image"]).resolve().read_bytes() == BLUE
    meta = parquet.ParquetFile(night.folder / "sets" / "night.parquet").metadata
    assert meta.row_group(0).column(0).compression == "ZSTD"


def test_what_it_cost_stays_in_the_manifest(night: World) -> None:
    """And the API's ids: a data set is often published."""
    for form in FORMATS:
        written(night, form, form, *(["--pictures", "copy"] if form == "parquet" else []))
    for file in night.folder.rglob("*"):
        if file.is_file() and file.is_relative_to(night.folder / "imagefolder"):
            assert b"req-" not in file.read_bytes()
    told = b"".join(samples(night.folder / "webdataset").values())
    assert b"req-" not in told
    assert b"cost" not in told
    assert b"req-" not in (night.folder / "parquet").read_bytes()


def test_a_model_that_left_the_catalogue(world: World) -> None:
    """Nobody knows which of its inputs is the prompt: each is a column, as it was sent."""
    world.load(job(0, "a", model="gone/model", inputs={"words": "a fox", "odd": [1, None]}))
    shot(world, "a", RED)
    (row,) = parquet.read_table(written(world, "parquet")).to_pylist()
    assert (row["prompt"], row["inputs.words"], row["inputs.odd"]) == (None, "a fox", "[1, null]")


def test_the_ending_is_enough(night: World) -> None:
    """As for the other formats."""
    assert night.run("export", "--output", "n.parquet").code == 0
    assert parquet.read_metadata(night.folder / "n.parquet").num_rows == 4


def test_parquet_is_written_a_group_at_a_time(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """By rows, and by the bytes of pictures that are held."""
    monkeypatch.setattr(parquet_rows, "GROUP_ROWS", 3)
    meta = parquet.read_metadata(written(night, "parquet", "rows.parquet"))
    assert [meta.row_group(n).num_rows for n in range(meta.num_row_groups)] == [3, 1]
    monkeypatch.setattr(parquet_rows, "GROUP_BYTES", len(RED) + 1)
    meta = parquet.read_metadata(written(night, "parquet", "bytes.parquet", "--pictures", "copy"))
    assert [meta.row_group(n).num_rows for n in range(meta.num_row_groups)] == [2, 2]


def test_parquet_with_pictures_is_loaded_as_images(night: World) -> None:
    """By `datasets`, which knows the column for what it is."""
    written(night, "parquet", "night.parquet", "--pictures", "copy")
    told = loaded(
        night.folder,
        "from datasets import Image, load_dataset\n"
        "found = load_dataset('parquet', data_files='night.parquet', split='train')\n"
        "told = [isinstance(found.features['image'], Image),\n"
        "        [(row['key'], row['image'].size, row['image'].getpixel((0, 0))) for row in found]]",
    )
    assert told == [
        True,
        [
            ["fox", [600, 300], [200, 30, 30]],
            ["fox", [600, 300], [30, 30, 200]],
            ["A/B.c", [600, 300], [30, 200, 30]],
            ["boat", [600, 300], [200, 30, 30]],
        ],
    ]


def test_without_pyarrow_it_is_said(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line to type; nothing is written."""
    import sys

    monkeypatch.delitem(sys.modules, "jobs.datasets.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    ran = night.run("export", "--format", "parquet", "--output", "n.parquet")
    assert ran.code == 2
    assert "python -m pip install pyarrow" in ran.err
    assert not (night.folder / "n.parquet").exists()


def test_only_a_parquet_file_of_ours_is_replaced(night: World) -> None:
    """A sheet in Parquet is somebody's own."""
    written(night, "parquet", "n.parquet")
    written(night, "parquet", "n.parquet", "--pictures", "copy")
    written(night, "csv", "n.parquet")
    sheet = parquet.read_table(written(night, "parquet", "n.parquet")).replace_schema_metadata({})
    parquet.write_table(sheet, night.folder / "n.parquet")
    before = (night.folder / "n.parquet").read_bytes()
    ran = night.run("export", "--format", "parquet", "--output", "n.parquet")
    assert (ran.code, "no manifest of Nightsheet's" in ran.err) == (2, True)
    for cut in (before[:-3], before[:6], b"PAR1" + b"\xff" * 4 + b"PAR1"):
        (night.folder / "n.parquet").write_bytes(cut)
        assert night.run("export", "--format", "parquet", "--output", "n.parquet").code == 2
        assert (night.folder / "n.parquet").read_bytes() == cut


# -- imagefolder -----------------------------------------------------------------------------------------


def test_imagefolder_is_loaded_with_its_metadata(night: World) -> None:
    """By `datasets`: pictures, and what is beside them."""
    folder = written(night, "imagefolder")
    records = lines(folder / "train" / "metadata.jsonl")
    assert [next(iter(record)) for record in records] == ["file_name"] * 4
    assert [record["file_name"] for record in records[:2]] == ["fox-01.png", "fox-02.png"]
    assert {tuple(record) for record in records} == {tuple(records[0])}
    told = loaded(
        night.folder,
        "from datasets import load_dataset\n"
        "found = load_dataset('imagefolder', data_dir='out')['train']\n"
        "told = sorted((r['key'], r['prompt'], r['image'].getpixel((0, 0))[0], r['columns.product'])\n"
        "    for r in found)",
    )
    assert told == [
        ["A/B.c", "hare <&>", 30, "\\ud800"],
        ["boat", "boat", 200, None],
        ["fox", "Generate images of fox", 30, "red fox"],
        ["fox", "Generate images of fox", 200, "red fox"],
    ]


def test_another_split(night: World) -> None:
    """By its name."""
    folder = written(night, "imagefolder", "out", "--split", "validation")
    assert (folder / "validation" / "fox-01.png").read_bytes() == RED
    assert not (folder / "train").exists()


def test_links_lead_to_the_pictures(night: World) -> None:
    """Relative, so that the project can be moved; `datasets` follows them."""
    folder = written(night, "imagefolder", "out", "--pictures", "link")
    link = folder / "train" / "fox-02.png"
    assert link.is_symlink()
    assert not link.readlink().is_absolute()
    assert link.read_bytes() == BLUE
    assert link.resolve() == night.folder / "outputs" / "night" / "fox" / "02.png"
    assert loaded(night.folder, COUNT) == 4


def test_a_folder_of_ours_is_replaced_and_no_other(night: World) -> None:
    """With fewer pictures in it, none of the old ones is left."""
    folder = written(night, "imagefolder")
    written(night, "imagefolder", "out", "--search", "boat")
    assert len(list((folder / "train").iterdir())) == 2
    (folder / "train" / "mine.png").write_bytes(RED)
    ran = night.run("export", "--format", "imagefolder", "--output", "out")
    assert (ran.code, "added or changed" in ran.err) == (2, True)
    ran = night.run("export", "--format", "webdataset", "--output", "outputs")
    assert (ran.code, "not a folder of an export" in ran.err) == (2, True)


# -- webdataset ------------------------------------------------------------------------------------------


def test_webdataset_is_loaded_by_webdataset(night: World) -> None:
    """A sample a picture: the picture, what is known of it, its prompt."""
    folder = written(night, "webdataset")
    assert [path.name for path in sorted(folder.iterdir())] == [".nightsheet", "000000.tar"]
    assert all(name.count(".") == 1 for name in samples(folder))
    told = loaded(
        night.folder,
        "import webdataset\n"
        "found = webdataset.WebDataset('out/000000.tar', shardshuffle=False).decode('pil')\n"
        "told = [(s['__key__'], s['png'].size, s['json']['number'], s['txt']) for s in found]",
    )
    assert [one[1:] for one in told] == [
        [[600, 300], 1, "Generate images of fox"],
        [[600, 300], 2, "Generate images of fox"],
        [[600, 300], 1, "hare <&>"],
        [[600, 300], 1, "boat"],
    ]
    assert told[0][0] == "fox-01"


@pytest.mark.parametrize(("limit", "value"), [("SHARD_IMAGES", 2), ("SHARD_BYTES", 6 * len(RED) + 3000)])
def test_shards_are_full_and_no_more(
    night: World, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    """By pictures, and by bytes; no sample is torn, and one that is larger than a shard has its own."""
    monkeypatch.setattr(webdataset, limit, value)
    folder = written(night, "webdataset")
    shards = sorted(folder.glob("*.tar"))
    assert [shard.name for shard in shards][:2] == ["000000.tar", "000001.tar"]
    for shard in shards:
        with tarfile.open(shard) as tar:
            names = [entry.name for entry in tar]
        stems = [name.partition(".")[0] for name in names]
        assert names
        assert all(stems.count(stem) == 3 for stem in stems)
    assert len(samples(folder)) == 12
    monkeypatch.setattr(webdataset, limit, 1)
    assert len(list(written(night, "webdataset").glob("*.tar"))) == 4


# -- which pictures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("only", "keys"),
    [
        ("accepted", ["fox-02"]),
        ("rejected", ["boat-01"]),
        ("starred", ["fox-01", "fox-02"]),
        ("undecided", ["fox-01", "a-b-c"]),
        ("reroll", []),
        ("all", ["fox-01", "fox-02", "a-b-c", "boat-01"]),
    ],
)
def test_only_those_that_a_person_chose(night: World, only: str, keys: list[str]) -> None:
    """A picture at a time: of one job some are, some are not."""
    decide(night, "fox", 1, stars=2)
    decide(night, "fox", 2, verdict=Verdict.ACCEPTED, stars=5)
    decide(night, "boat", 1, verdict=Verdict.REJECTED)
    folder = written(night, "webdataset", "out", "--only", only)
    found = [name.removesuffix(".json") for name in samples(folder) if name.endswith(".json")]
    assert [name if not name.startswith("a-b-c") else "a-b-c" for name in found] == keys
    images = [
        image["path"]
        for record in lines(written(night, "jsonl", "m.jsonl", "--only", only))
        for image in record["images"]
    ]
    assert len(images) == len(keys)


def test_a_search_finds_them(night: World) -> None:
    """Together with --only; a manifest has what it finds, jobs without pictures too."""
    decide(night, "fox", 2, verdict=Verdict.ACCEPTED)
    folder = written(night, "webdataset", "out", "--search", 'product:"red fox"', "--only", "accepted")
    assert sorted(samples(folder)) == ["fox-02.json", "fox-02.png", "fox-02.txt"]
    ran = night.run("export", "--search", "state:queued")
    assert [json.loads(line)["key"] for line in ran.out.splitlines()] == ["waits"]


def test_many_jobs_are_found_a_page_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once, in the order of the sheet."""
    monkeypatch.setattr("jobs.store.page.tiles._PAGE", 2)
    monkeypatch.setattr("jobs.manifests.found._AT_ONCE", 3)
    world.load(*(job(n, f"j{n}") for n in range(5)))
    ran = world.run("export", "--search", "-j3")
    assert [json.loads(line)["key"] for line in ran.out.splitlines()] == ["j0", "j1", "j2", "j4"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--format", "parquet"), "written into a file"),
        (("--format", "imagefolder", "--output", "-"), "written into a folder"),
        (("--format", "webdataset", "--output", "x", "--pictures", "link"), "goes with --format imagefolder"),
        (("--format", "parquet", "--output", "x", "--split", "test"), "goes with --format imagefolder"),
        (("--format", "csv", "--pictures", "copy"), "goes with --format parquet"),
        (("--split", "test"), "goes with --format imagefolder"),
        (("--format", "imagefolder", "--output", "x", "--split", "../up"), "no name of a split"),
        (("--format", "imagefolder", "--output", "x", "--split", "nul"), "no name of a split"),
        (("--format", "webdataset", "--output", "x", "--metadata", "xmp"), "pictures that are files"),
        (
            ("--format", "parquet", "--output", "x", "--pictures", "copy", "--metadata", "xmp"),
            "that are files",
        ),
        (("--format", "imagefolder", "--output", "x", "--all"), "--all"),
        (("--all", "--search", "fox"), "--all"),
        (("--all", "--only", "accepted"), "--all"),
        (("--search", "stat:failed"), "Did you mean state?"),
        (("--search", "verdict:rejected", "--only", "accepted"), "choose by the same"),
        (("--into", "night.csv", "--only", "accepted"), "--into"),
        (("--into", "night.csv", "--pictures", "copy"), "--into"),
    ],
)
def test_what_does_not_fit_is_refused(night: World, arguments: tuple[str, ...], why: str) -> None:
    """Before anything is written."""
    before = sorted(path for path in night.folder.rglob("*") if "nightsheet.db" not in path.name)
    ran = night.run("export", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert why in ran.err
    assert sorted(path for path in night.folder.rglob("*") if "nightsheet.db" not in path.name) == before


# -- pictures that are not what was recorded -----------------------------------------------------------


def gone(path: Path) -> None:
    path.unlink()


def changed(path: Path) -> None:
    path.write_bytes(bytes(len(path.read_bytes())))


def linked(path: Path) -> None:
    path.rename(path.with_name("real"))
    path.symlink_to("real")


def folder_linked(path: Path) -> None:
    path.parent.rename(path.parents[3] / "away")
    path.parent.symlink_to(path.parents[3] / "away", target_is_directory=True)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("spoil", [gone, changed, linked, folder_linked])
def test_what_was_not_recorded_is_left_out_and_said(night: World, form: str, spoil: Any) -> None:
    """Exit 1: it is written, but not whole."""
    spoil(_place(night, "A/B.c"))
    ran = night.run("export", "--format", form, "--output", "out", *copied(form))
    assert ran.code == 1
    assert "1 picture left out" in ran.err
    assert "nightsheet retry night --free" in ran.err
    assert keys_of(night.folder / "out", form) == ["fox", "fox", "boat"]


def _place(world: World, key: str) -> Path:
    return Path(world.jobs()[key].images[0].path)


def copied(form: str) -> list[str]:
    """Parquet with bytes: with paths alone it opens no picture."""
    return ["--pictures", "copy"] if form == "parquet" else []


def keys_of(place: Path, form: str) -> list[str]:
    """The keys of what was written."""
    if form == "parquet":
        return list(parquet.read_table(place)["key"].to_pylist())
    if form == "imagefolder":
        return [record["key"] for record in lines(place / "train" / "metadata.jsonl")]
    found = samples(place)
    return [json.loads(data)["key"] for name, data in found.items() if name.endswith(".json")]


@pytest.mark.parametrize("spoil", [gone, linked])
def test_a_path_leads_to_a_file_below_the_folder(night: World, spoil: Any) -> None:
    """Parquet with paths looks at each."""
    spoil(_place(night, "A/B.c"))
    assert night.run("export", "--output", "n.parquet").code == 1
    assert keys_of(night.folder / "n.parquet", "parquet") == ["fox", "fox", "boat"]


def test_a_picture_that_was_renamed_is_found_by_its_content(night: World) -> None:
    """As for a manifest."""
    place = _place(night, "A/B.c")
    place.rename(place.with_name("renamed.png"))
    folder = written(night, "imagefolder", "out", "--search", "hare")
    (record,) = lines(folder / "train" / "metadata.jsonl")
    assert (folder / "train" / record["file_name"]).read_bytes() == GREEN


def test_one_of_a_type_that_may_hold_a_script_is_left_out(world: World) -> None:
    """Whatever the table says."""
    world.load(job(0, "a"))
    shot(world, "a", RED, content_type="image/svg+xml")
    assert world.run("export", "--format", "imagefolder", "--output", "out").code == 1
    assert sorted(path.name for path in (world.folder / "out" / "train").iterdir()) == ["metadata.jsonl"]


def test_a_disk_that_refuses_leaves_nothing(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """73, and no half of it."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jobs.datasets.imagefolder._write_new", full)
    ran = night.run("export", "--format", "imagefolder", "--output", "out")
    assert (ran.code, "No space left" in ran.err) == (73, True)
    assert [path.name for path in night.folder.iterdir() if "out" in path.name] == ["outputs"]


# -- sidecars --------------------------------------------------------------------------------------------


def test_sidecars_beside_the_copies(night: World) -> None:
    """And never beside the pictures in the output folder."""
    decide(night, "fox", 1, verdict=Verdict.REJECTED)
    folder = written(night, "imagefolder", "out", "--metadata", "xmp")
    assert b"<xmp:Rating>-1</xmp:Rating>" in (folder / "train" / "fox-01.png.xmp").read_bytes()
    assert len(list((folder / "train").glob("*.xmp"))) == 4
    assert list((night.folder / "outputs").rglob("*.xmp")) == []
    code = (
        "from datasets import load_dataset\ntold = len(load_dataset('imagefolder', data_dir='out')['train'])"
    )
    assert loaded(night.folder, code) == 4


@pytest.mark.parametrize("arguments", [("--output", "m.jsonl"), ("--output", "n.parquet"), ()])
def test_sidecars_beside_the_pictures(night: World, arguments: tuple[str, ...]) -> None:
    """With a manifest; the pictures are as they were, and another program's sidecar is, too."""
    fox = _place(night, "fox")
    theirs = fox.with_name("02.png.xmp")
    theirs.write_text("theirs")
    ran = night.run("export", *arguments, "--metadata", "xmp")
    assert ran.code == 0, ran.err
    assert "3 sidecars beside the pictures" in ran.err
    assert "1 sidecar of another program" in ran.err
    assert b"AIPromptInformation" in fox.with_name("01.png.xmp").read_bytes()
    assert (theirs.read_text(), fox.read_bytes()) == ("theirs", RED)


def test_no_sidecar_for_what_was_not_recorded(night: World) -> None:
    """It would say of another picture how it was made."""
    changed(_place(night, "boat"))
    ran = night.run("export", "--output", "m.jsonl", "--metadata", "xmp")
    assert (ran.code, "1 picture left out" in ran.err) == (1, True)
    assert not _place(night, "boat").with_name("01.png.xmp").exists()


def test_a_folder_that_takes_no_sidecar(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """73, in words; the manifest is there."""

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("jobs.datasets.xmp.atomic_file", refused)
    ran = night.run("export", "--output", "m.jsonl", "--metadata", "xmp")
    assert (ran.code, "cannot be written: Permission denied" in ran.err) == (73, True)
    assert len(lines(night.folder / "m.jsonl")) == 4


def test_content_credentials_are_told(world: World) -> None:
    """What they are good for ends where a program writes into a copy."""
    world.load(job(0, "a", model=SERIES))
    signed = png_with(b"caBX")
    shot(world, "a", signed)
    ran = world.run("export", "--format", "imagefolder", "--output", "out", "--metadata", "xmp")
    assert ran.code == 0
    assert "1 picture with Content Credentials (C2PA)" in ran.err
    assert (world.folder / "out" / "train" / "a-01.png").read_bytes() == signed


def test_an_export_can_be_interrupted(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between some jobs and the next: nothing of it is left."""
    monkeypatch.setattr(exporting, "_CHUNK", 1)
    real, calls = exporting._take_all, []

    def interrupted(take: Any, jobs: Any) -> int:
        calls.append(jobs)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(take, jobs)

    monkeypatch.setattr(exporting, "_take_all", interrupted)
    ran = night.run("export", "--format", "webdataset", "--output", "out")
    assert ran.code == 130
    assert [path.name for path in night.folder.iterdir() if "out" in path.name] == ["outputs"]
