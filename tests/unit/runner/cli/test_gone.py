"""Pictures that somebody deleted: `audit` tells, `retry` has them fetched again, free."""

from pathlib import Path

import pytest

from jobs.sheets.planned import PlannedJob
from jobs.store.store import Store
from tests.unit.runner.cli.world import World, accepted, done, fetched, job


def home(world: World, *keys: str) -> dict[str, Path]:
    """Each job came home with a picture; where it lies."""
    world.load(*(job(position, key) for position, key in enumerate(keys)))
    for key in keys:
        world.move(key, accepted(f"r-{key}"), done("0.08"))
        world.picture(key)
        job_id = world.jobs()[key].id

        async def fetch(store: Store, job_id: int = job_id) -> None:
            assert await store.jobs.apply(fetched()(job_id))

        world.store(fetch)
    places = {key: Path(world.jobs()[key].images[0].path) for key in keys}
    for path in places.values():
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * 10)
    return places


def shared(world: World) -> PlannedJob:
    """A row `b` that has the pictures of `a`, which it says the same as."""
    twin = job(1, "b", inputs={"prompt": "Generate images of a", "seed": 7})
    world.load(job(0, "a"), twin)
    jobs = world.jobs()

    async def link(store: Store) -> None:
        await store.links.link([(jobs["b"].id, jobs["a"].id)])
        await store.links.settle(1)

    world.store(link)
    assert world.states() == {"a": "succeeded", "b": "succeeded"}
    return twin


def test_what_is_gone_is_a_finding(world: World) -> None:
    """With its key and place, and an exit code that a script sees; what is there is none."""
    places = home(world, "a", "b")
    assert world.run("audit").code == 0
    places["b"].unlink()
    ran = world.run("audit")
    assert ran.code == 1
    assert "Downloaded, but missing or changed on disk" in ran.out
    assert "In all 1 picture of 1 job." in ran.out
    assert "nightsheet retry night" in ran.out
    told = world.run("audit", "--json")
    assert told.code == 1
    assert told.json["gone"] == [
        {"key": "b", "revision": 1, "row": 3, "wanted": True, "paths": [str(places["b"])]}
    ]
    assert told.json["balanced"] is True


def test_what_no_row_has_is_told_and_is_no_finding(world: World) -> None:
    """A row that was edited, one that is gone: nothing can be done about these, and nobody is sent to try."""
    places = home(world, "a", "b", "c")
    world.load(job(0, "a", fingerprint="edited"), job(2, "c"))
    for key in "ab":
        places[key].unlink()
    ran = world.run("audit")
    assert ran.code == 0
    assert (
        "Not fetched again: 2 pictures of 2 jobs, whose rows are no longer in the sheet, or say something"
        " else by now."
    ) in " ".join(ran.out.split())
    assert "nightsheet retry" not in ran.out
    places["c"].unlink()
    both = world.run("audit")
    assert both.code == 1
    assert "In all 1 picture of 1 job." in both.out
    assert "Not fetched again: 2 pictures of 2 jobs" in both.out
    assert [one["wanted"] for one in world.run("audit", "--json").json["gone"]] == [False, False, True]


def test_what_another_row_has_is_a_finding_without_its_own(world: World) -> None:
    """That row can have it fetched."""
    places = home(world, "a")
    world.load(shared(world))
    places["a"].unlink()
    ran = world.run("audit")
    assert ran.code == 1
    assert "nightsheet retry night" in ran.out
    assert "Not fetched again" not in ran.out


def test_it_is_fetched_again(world: World) -> None:
    """Free; a picture that was changed counts as gone. What is there is left alone."""
    places = home(world, "a", "b", "c")
    places["a"].unlink()
    places["b"].write_bytes(b"changed")
    assert world.run("retry", "--yes", "--kind", "expired").code == 0, "a kind of failure is no success"
    assert world.states() == dict.fromkeys("abc", "succeeded")
    ran = world.run("retry", "--yes", "--json").json
    assert (ran["reopened"], ran["requeued"], ran["left"]) == (["a", "b"], [], [])
    assert world.states() == {"a": "running", "b": "running", "c": "succeeded"}


def test_a_job_that_is_named_says_why_not(world: World) -> None:
    """It has its pictures; or they are another's."""
    places = home(world, "a")
    assert "it is succeeded" in world.run("retry", "--yes", "--job", "a").err
    shared(world)
    places["a"].unlink()
    assert "its pictures are gone, and are those of a" in world.run("retry", "--yes", "--job", "b").err
    assert world.run("audit", "--json").json["gone"][0]["key"] == "a"
    assert world.run("retry", "--yes").out.startswith("1 job will be fetched again: free.")
    assert world.states() == {"a": "running", "b": "succeeded"}


@pytest.mark.parametrize("named", [(), ("--job", "b")])
def test_pictures_of_a_row_that_is_gone_are_fetched_for_one_that_has_them(
    world: World, named: tuple[str, ...]
) -> None:
    """As long as the API has them; what is being fetched is not asked for twice."""
    places = home(world, "a")
    world.load(shared(world))
    assert "it is succeeded" in world.run("retry", "--yes", "--job", "b").err
    places["a"].unlink()
    ran = world.run("retry", "--yes", *named, "--json").json
    assert (ran["reopened"], ran["requeued"], ran["linked"], ran["left"]) == (["a"], [], [], [])
    assert world.states() == {"b": "succeeded"}
    again = world.run("retry", "night", "--yes", "--job", "b")
    assert (again.code, again.err) == (1, "Not retried: b: its pictures are gone, and are those of a\n")
