"""Rows of which one was sent for all: every command says so, and none says that they were paid."""

import random
from collections.abc import Callable

import pytest

from jobs.sheets import open_sheet, plan
from jobs.sheets.planned import PlannedJob
from jobs.states import JobState
from jobs.store.store import Store
from tests.unit.runner.cli.world import (
    API,
    World,
    accepted,
    done,
    fetch_failed,
    fetched,
    job,
    remote_failed,
    unanswered,
)


def row(position: int, key: str, prompt: str = "Generate images of a pier") -> PlannedJob:
    """A row that says what the others say, unless it has a `prompt` of its own."""
    return job(position, key, inputs={"prompt": prompt, "seed": 7}, fingerprint=prompt)


def linked(world: World, *keys: str) -> None:
    """With `--dedupe`: the others wait for the first."""
    world.load(*(row(position, key) for position, key in enumerate(keys)), dedupe=True)
    world.price()
    first, *others = [world.jobs()[key].id for key in keys]

    async def link(store: Store) -> None:
        await store.links.link([(other, first) for other in others])

    world.store(link)


def settle(world: World) -> None:
    """As a run does at its end."""

    async def inside(store: Store) -> None:
        await store.links.settle(1)

    world.store(inside)


def test_the_books_name_them_at_no_cost(world: World) -> None:
    """For scripts and for people; the ledger knows but one submit."""
    linked(world, "a", "b", "c")
    world.move("a", accepted("r-1"), done("0.08"), fetched())
    settle(world)
    told = world.run("audit", "--json").json
    assert told["linked"] == [
        {"key": "b", "row": 3, "state": "succeeded", "same_as": "a"},
        {"key": "c", "row": 4, "state": "succeeded", "same_as": "a"},
    ]
    assert (told["submits"], len(told["attempts"]), told["balanced"]) == (1, 1, True)
    shown = world.run("audit").out
    assert "Not sent: an identical job was sent, and its result counts for both" in shown
    assert shown.count("$0.00") == 2


def test_the_records_have_the_other_s_pictures(world: World) -> None:
    """In JSON and in a table; `jobs` says whose result it is."""
    linked(world, "a", "b")
    world.move("a", accepted("r-1"), done("0.08"))
    world.picture("a")
    open_job = world.jobs()["a"].id

    async def fetch(store: Store) -> None:
        assert await store.jobs.apply(fetched("odd")(open_job))

    world.store(fetch)
    settle(world)
    first, second = world.run("jobs", "--json").json
    assert second["images"] == first["images"]
    assert (second["same_as"], second["cost_usd"]) == ("a", 0.0)
    assert second["warnings"] == ["odd", "Picture 1 is no longer on disk."]
    assert "same_as" not in first
    table = world.run("export", "--format", "csv").out.splitlines()
    assert table[0].endswith(",same_as")
    assert [line.rsplit(",", 1)[1] for line in table[1:]] == ["", "a"]


def test_what_waits_is_said_to_wait(world: World) -> None:
    """In the status, and in the list of jobs; it is not reckoned with."""
    linked(world, "a", "b")
    world.move("a", unanswered())
    shown = world.run("status").out
    assert "1 of the queued wait for an identical job: not paid for" in shown
    assert world.run("status", "--json").json["cost"]["estimate_usd"] == 0.0
    assert "the result of a, an identical job" in world.run("jobs").out


def test_all_that_failed_together_is_tried_again_as_one(world: World) -> None:
    """Paid once; what waits has nothing agreed to."""
    linked(world, "a", "b", "c")
    world.move("a", accepted("r-1"), remote_failed())
    settle(world)
    assert world.states() == dict.fromkeys("abc", "failed")
    ran = world.run("retry", "--yes")
    assert "2 jobs will get the result of an identical job: free." in ran.out
    assert "1 job will be sent again and paid for, for $0.04 to $0.08." in ran.out
    assert [view.agreed for view in world.jobs().values()] == [True, False, False]
    assert world.run("retry", "--yes", "--job", "b").code == 1, "it is queued"


def test_one_of_them_is_tried_again_alone(world: World) -> None:
    """It is a job of its own then, and paid."""
    linked(world, "a", "b")
    world.move("a", accepted("r-1"), done(), fetch_failed())
    settle(world)
    ran = world.run("retry", "--yes", "--job", "b", "--json").json
    assert (ran["requeued"], ran["linked"], ran["reopened"]) == (["b"], [], [])
    job_b = world.jobs()["b"]
    assert (job_b.agreed, job_b.twin) == (True, None)
    together = world.run("retry", "--yes", "--job", "a", "--json").json
    assert together["reopened"] == ["a"]


def test_one_that_was_cancelled_waits_again_for_what_is_there(world: World) -> None:
    """Free: the result is here."""
    linked(world, "a", "b")
    assert world.run("cancel", "--job", "b").code == 0
    world.move("a", accepted("r-1"), done(), fetched())
    ran = world.run("retry", "--yes", "--job", "b", "--json").json
    assert (ran["requeued"], ran["linked"]) == ([], ["b"])
    settle(world)
    assert world.states() == {"a": "succeeded", "b": "succeeded"}


@pytest.mark.parametrize("sheet", ["ab", "b"])
def test_what_the_next_run_pays_is_not_called_free(world: World, sheet: str) -> None:
    """The batch keeps to `--dedupe` no more: what would wait is paid, and asked for."""
    linked(world, "a", "b")
    world.move("a", accepted("r-1"), done(), fetch_failed())
    settle(world)
    world.load(*(row(position, key) for position, key in enumerate(sheet)), dedupe=False)
    ran = world.run("retry", "--yes")
    assert "1 job will be sent again and paid for, for $0.04 to $0.08." in ran.out
    assert "the result of one that says the same" not in ran.out
    job_b = world.jobs()["b"]
    assert (job_b.state, job_b.agreed, job_b.twin) == (JobState.QUEUED, True, None)


def test_what_waits_no_more_is_asked_for(world: World, terminal: Callable[[str], list[str]]) -> None:
    """With its price; a no leaves it as it is."""
    linked(world, "a", "b")
    world.move("a", accepted("r-1"), remote_failed())
    settle(world)
    world.load(row(0, "a"), row(1, "b"), dedupe=False)
    questions = terminal("n")
    assert world.run("retry").code == 1
    assert questions == ["2 jobs would be sent and paid for again, for $0.08 to $0.16. Go on?"]
    assert world.states() == {"a": "failed", "b": "failed"}


def test_nothing_waits_for_a_row_that_was_edited(world: World) -> None:
    """It was never sent, and says something else by now."""
    linked(world, "a", "b")
    assert world.run("cancel", "--job", "a", "--job", "b").code == 0
    world.load(row(0, "a", "Generate images of a quay"), row(1, "b"))
    ran = world.run("retry", "--yes", "--job", "b", "--json").json
    assert (ran["requeued"], ran["linked"]) == (["b"], [])
    assert world.jobs()["b"].agreed


def test_what_is_here_is_had_without_the_option(world: World) -> None:
    """The next run shares it before it ends any link."""
    linked(world, "a", "b")
    assert world.run("cancel", "--job", "b").code == 0
    world.move("a", accepted("r-1"), done(), fetched())
    world.load(row(0, "a"), row(1, "b"), dedupe=False)
    assert world.run("retry", "--yes", "--job", "b", "--json").json["linked"] == ["b"]


@pytest.mark.parametrize("named", [(), ("--job", "b")])
def test_what_was_paid_for_a_row_that_is_gone_is_fetched_for_the_others(
    world: World, named: tuple[str, ...]
) -> None:
    """The API holds it: nothing is paid twice, and nobody is asked."""
    linked(world, "a", "b")
    world.move("a", accepted("r-1"), done(), fetch_failed())
    settle(world)
    world.load(row(0, "b"))
    ran = world.run("retry", "--yes", *named)
    assert ran.code == 0
    assert "1 job will be fetched again: free." in ran.out
    assert "1 job will get the result of an identical job: free." in ran.out
    assert "paid" not in ran.out
    assert world.states() == {"b": "queued"}

    async def fetch(store: Store) -> None:
        gone = await store.jobs.by_key(1, "a")
        assert gone is not None
        assert gone.state is JobState.RUNNING
        assert await store.jobs.apply(done()(gone.id))
        assert await store.jobs.apply(fetched()(gone.id))

    world.store(fetch)
    settle(world)
    assert world.states() == {"b": "succeeded"}


def test_what_the_api_does_not_hold_is_paid(world: World) -> None:
    """The row that is gone failed there."""
    linked(world, "a", "b")
    world.move("a", accepted("r-1"), remote_failed())
    settle(world)
    world.load(row(0, "b"))
    ran = world.run("retry", "--yes", "--json").json
    assert (ran["reopened"], ran["requeued"], ran["linked"]) == ([], ["b"], [])


def test_check_reckons_with_one_of_them(world: World) -> None:
    """Before it is run, and after."""
    sheet = world.folder / "night.csv"
    model = "bytedance/seedream-4-5/text-to-image"
    sheet.write_text("id,prompt,model\n" + "".join(f"{key},A pier,{model}\n" for key in "abc"))
    plain = world.run("check", str(sheet), "--json").json
    assert (plain["to_send"]["jobs"], plain["identical"]["linked"]) == (3, False)
    told = world.run("check", str(sheet), "--dedupe", "--json").json
    assert (told["to_send"]["jobs"], told["identical"]["linked"], told["jobs"]) == (1, True, 3)
    shown = world.run("check", str(sheet), "--dedupe", "--emulator").out
    assert "To send: 1 job (3 new, less 2 that are identical), at most 1 picture" in shown
    assert "2 jobs are identical to another row" in shown
    assert "nightsheet run" in shown
    assert "--dedupe --emulator" in shown


def test_check_keeps_to_what_the_batch_was_told(world: World) -> None:
    """As the next run does."""
    sheet = world.folder / "night.csv"
    sheet.write_text("id,prompt,model\na,A pier,bytedance/seedream-4-5/text-to-image\n")
    assert not world.load().dedupe

    async def ask_for_it(store: Store) -> bool:
        batch, _ = await store.batches.load(name="night", sheet=sheet, origin=API, planned=(), dedupe=True)
        return batch.dedupe

    assert world.store(ask_for_it)
    assert world.run("check", str(sheet), "--json").json["identical"]["linked"] is True
    assert world.run("check", str(sheet), "--no-dedupe", "--json").json["identical"]["linked"] is False


NIGHT = (("a", "A pier"), ("b", "A pier"))


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize(
    ("rows", "said", "before", "after"),
    [
        (NIGHT, (), 1, 0),
        (tuple(reversed(NIGHT)), (), 1, 0),
        ((("a", "A quay"), NIGHT[1]), (), 2, 1),
        (NIGHT[1:], (), 1, 0),
        ((*NIGHT[1:], ("c", "A pier")), (), 1, 0),
        (NIGHT, ("--no-dedupe",), 2, 1),
        (NIGHT[1:], ("--no-dedupe",), 1, 1),
    ],
)
def test_check_sends_what_waits_for_a_row_that_is_not_sent(
    world: World,
    *,
    rows: tuple[tuple[str, str], ...],
    said: tuple[str, ...],
    before: int,
    after: int,
    sent: bool,
) -> None:
    """Its row was edited, or is gone, or nobody is to wait any more; what was sent is waited for anyhow."""
    sheet = world.folder / "night.csv"

    def write(rows: tuple[tuple[str, str], ...]) -> None:
        model = "bytedance/seedream-4-5/text-to-image"
        sheet.write_text("id,prompt,model\n" + "".join(f"{key},{text},{model}\n" for key, text in rows))

    write(NIGHT)
    planned = [one for one in plan(open_sheet(sheet), random.Random(1)) if isinstance(one, PlannedJob)]
    world.load(*planned, dedupe=True)
    first, second = world.jobs().values()

    async def link(store: Store) -> None:
        await store.links.link([(second.id, first.id)])

    world.store(link)
    if sent:
        world.move("a", accepted("r-1"))
    write(rows)
    told = world.run("check", str(sheet), *said, "--json").json
    assert told["to_send"]["jobs"] == (after if sent else before)
