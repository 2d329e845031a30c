"""`nightsheet decide`: verdicts by key, by search and by file; what was changed is told."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runner.cli.world import TEXT, World, accepted, done, fetched, job


@pytest.fixture
def night(world: World) -> World:
    """A picture of `a`, one of `b:2`, and a job without."""
    world.load(job(0, "a", columns={"product": "fox"}), job(1, "b:2", model=TEXT), job(2, "c"))
    for key in ("a", "b:2"):
        world.move(key, accepted(f"req-{key[0]}"), done())
        world.picture(key)
        world.store(lambda store, key=key: finish(store, key))  # type: ignore[misc]
    return world


async def finish(store: Any, key: str) -> None:
    batch = await store.batches.named(None)
    found = await store.jobs.by_key(batch.id, key)
    assert await store.jobs.apply(fetched()(found.id))


def decided(world: World) -> dict[str, list[tuple[int, str | None, int, str, str]]]:
    """What is decided, by key."""
    return {
        key: [(one.number, one.verdict, one.stars, one.note, one.source.value) for one in view.decisions]
        for key, view in world.jobs().items()
        if view.decisions
    }


def test_pictures_are_decided_by_key(night: World) -> None:
    """A picture, all of a job, a job without; a key that looks like another one's picture is that key."""
    ran = night.run(
        "decide", "night", "--accept", "a:1", "--reject", "b:2", "--reroll", "c", "--stars", "a=4"
    )
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == ["b:2:1: rejected", "c: to re-roll", "a:1: accepted ★★★★"]
    assert decided(night) == {
        "a": [(1, "accepted", 4, "", "cli")],
        "b:2": [(1, "rejected", 0, "", "cli")],
        "c": [(0, "reroll", 0, "", "cli")],
    }


def test_to_undo_is_to_decide_again(night: World) -> None:
    """What was before is told; the same once more is no change."""
    night.run("decide", "--accept", "a", "--stars", "a=2")
    again = night.run("decide", "--accept", "a")
    assert again.out == "1 picture: as before.\n"
    assert "Batch night, the one that ran last." in again.err
    cleared = night.run("decide", "night", "--clear", "a")
    assert cleared.out == "a:1: undecided (was accepted ★★)\n"
    assert decided(night) == {}


def test_what_a_search_finds_is_all(night: World) -> None:
    """What is said of one picture comes after what is said of all."""
    ran = night.run("decide", "night", "--search", "-state:queued", "--accept", "all", "--reject", "a:1")
    assert ran.code == 0
    assert {key: one[0][1] for key, one in decided(night).items()} == {"a": "rejected", "b:2": "accepted"}
    ran = night.run("decide", "night", "--search", "verdict:rejected product:fox", "--stars", "all=1")
    assert ran.out == "a:1: rejected ★ (was rejected)\n"
    assert night.run("decide", "night", "--search", "verdict:reroll", "--accept", "all").out == (
        "Batch night: nothing was found to decide about.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--accept", "a", "--reject", "a"], "'a' is given two verdicts."),
        (["--stars", "a"], "--stars a is not KEY=STARS"),
        (["--stars", "a=6"], "--stars a=6 is not KEY=STARS"),
        (["--search", "fox", "--accept", "a"], "nothing is said of `all`"),
        (["--search", "stat:x", "--accept", "all"], "There is no field 'stat'."),
        (["--from", "no.csv"], "no.csv cannot be read"),
    ],
)
def test_words_without_a_meaning_change_nothing(night: World, arguments: list[str], why: str) -> None:
    """Exit 2."""
    ran = night.run("decide", "night", "--stars", "c=1", *arguments)
    assert ran.code == 2
    assert why in " ".join(ran.err.split())
    assert decided(night) == {}


def test_what_cannot_be_decided_is_told(night: World) -> None:
    """Exit 1; the rest is done."""
    ran = night.run("decide", "night", "--accept", "z", "--accept", "a:7", "--accept", "c")
    assert ran.code == 1
    assert "Not decided: z: the sheet has no job of this key" in ran.err
    assert "Not decided: a:7: its job has no such picture" in ran.err
    assert list(decided(night)) == ["c"]


def test_decisions_come_from_a_file(night: World, tmp_path: Path) -> None:
    """What is typed beside it comes after it."""
    file = tmp_path / "verdicts.csv"
    file.write_text("key,number,sha256,verdict,note\na,1,,accepted,good\nb:2,1,0000,rejected,\nc,,,reroll,\n")
    ran = night.run("decide", "night", "--from", str(file), "--stars", "a=3")
    assert ran.code == 1
    assert "Not decided: b:2:1: another picture has come since it was looked at" in ran.err
    assert decided(night) == {"a": [(1, "accepted", 3, "good", "cli")], "c": [(0, "reroll", 0, "", "file")]}


def test_a_manifest_brings_its_decisions_along(night: World, tmp_path: Path) -> None:
    """Exported, cleared, and read back: they travel."""
    night.run("decide", "night", "--accept", "a", "--stars", "b:2=5")
    before = {key: [one[:4] for one in found] for key, found in decided(night).items()}
    file = tmp_path / "manifest.jsonl"
    assert night.run("export", "night", "--format", "jsonl", "--output", str(file)).code == 0
    night.run("decide", "night", "--clear", "all")
    assert decided(night) == {}
    assert night.run("decide", "night", "--from", str(file)).code == 0
    assert {key: [one[:4] for one in found] for key, found in decided(night).items()} == before


def test_many_are_counted(world: World) -> None:
    """Beyond ten; --verbose tells each."""
    world.load(*(job(n, f"k{n}") for n in range(12)))
    ran = world.run("decide", "night", "--accept", "all")
    assert ran.out == "12 pictures: accepted\n"
    assert len(world.run("decide", "night", "--reject", "all", "--verbose").out.splitlines()) == 12
    refused = world.run("decide", "night", *(word for n in range(11) for word in ("--accept", f"z{n}")))
    assert "Not decided: 11 pictures: the sheet has no job of this key" in refused.err


def test_without_a_word_the_verdicts_are_counted(night: World) -> None:
    """And nothing is changed."""
    night.run("decide", "night", "--accept", "a")
    assert (
        night.run("decide", "night").out
        == "Batch night: 1 accepted, 0 rejected, 0 to re-roll, 2 undecided.\n"
    )


def test_for_scripts(night: World) -> None:
    """All that was named, with what is decided now."""
    night.run("decide", "night", "--accept", "a")
    ran = night.run("decide", "night", "--accept", "a", "--reject", "c", "--accept", "z", "--json")
    assert ran.code == 1
    blank = {"stars": 0, "note": ""}
    assert ran.json == {
        "batch": "night",
        "decided": [
            {"key": "a", "number": 1, "sha256": "a" * 64, "verdict": "accepted", "changed": False} | blank,
            {"key": "c", "number": 0, "sha256": None, "verdict": "rejected", "changed": True} | blank,
        ],
        "refused": [{"key": "z", "number": None, "sha256": None, "why": "no_job"}],
    }


def typed(world: World, monkeypatch: pytest.MonkeyPatch, text: str) -> Any:
    """`decide --from -`, with this on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    return world.run("decide", "night", "--from", "-")


@pytest.mark.parametrize(
    "text", ["\ufeffkey;verdict\r\na;accepted\r\n", '{"key": "a", "verdict": "accepted"}\n\n']
)
def test_decisions_come_from_a_pipe(night: World, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """As from a file, a table or lines of JSON."""
    assert typed(night, monkeypatch, text).out == "a:1: accepted\n"
    assert decided(night) == {"a": [(1, "accepted", 0, "", "file")]}


def test_a_pipe_that_says_nonsense_decides_nothing(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even what its other lines say."""
    ran = typed(night, monkeypatch, "key,verdict\na,accepted\nc,perhaps\n")
    assert (ran.code, "Line 3: A verdict is" in ran.err) == (2, True)
    assert decided(night) == {}


@pytest.mark.parametrize(("other", "comes_first"), [("0" * 64, True), ("f" * 64, False)])
def test_of_two_hashes_the_one_that_is_there_counts(
    night: World, monkeypatch: pytest.MonkeyPatch, other: str, *, comes_first: bool
) -> None:
    """Fetched again and another one: what was said of the old one is refused, in whatever order they come."""
    sha256 = night.jobs()["a"].images[0].sha256
    lines = [f"a,1,{sha256.upper()},accepted", f"a,1,{other},rejected"]
    head = ["key,number,sha256,verdict"]
    ran = typed(night, monkeypatch, "\n".join([*head, *(lines[::-1] if comes_first else lines)]))
    assert ran.code == 1
    assert decided(night) == {"a": [(1, "accepted", 0, "", "file")]}


def test_a_key_that_begins_with_an_apostrophe(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where a table had to hide a formula the apostrophe is not the key's own."""
    world.load(job(0, "'tis"), job(1, "tis"), job(2, "-x"))
    ran = typed(world, monkeypatch, "key,verdict\n'tis,accepted\n'-x,rejected\n")
    assert ran.code == 0, ran.err
    found = {key: one[0][1] for key, one in decided(world).items()}
    assert found == {"'tis": "accepted", "-x": "rejected"}


def test_odd_keys_are_decided_about(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes, separators and numbers, in a table and in lines of JSON."""
    keys = ['"a", b', "a;b", "\u00e4 \U0001f98a", "=1", "a:1", "none", "1"]
    world.load(*(job(n, key) for n, key in enumerate(keys)))
    cells = [f'"{key}"' for key in (one.replace('"', '""') for one in keys)]
    ran = typed(world, monkeypatch, "\n".join(["key,verdict", *(f"{cell},accepted" for cell in cells)]))
    assert ran.code == 0, ran.err
    assert set(decided(world)) == set(keys)
    lines = [json.dumps({"key": key, "verdict": None}) for key in keys]
    assert typed(world, monkeypatch, "\n".join(lines)).code == 0
    assert decided(world) == {}
