"""Pictures that somebody deleted: `audit` tells, `retry` has them fetched again, free."""

from pathlib import Path

from jobs.store.door import Store
from tests.unit.runner.cli.world import World, accepted, done, fetched, job


def home(world: World, *keys: str) -> dict[str, Path]:
    """Each job came home with a picture; where it lies."""
    world.load(*(job(position, key) for position, key in enumerate(keys)))
    for key in keys:
        world.move(key, accepted(f"r-{key}"), done("0.08"))
        world.picture(key)
        job_id = world.jobs()[key].id

        async def fetch(store: Store, job_id: int = job_id) -> None:
            assert await store.apply(fetched()(job_id))

        world.store(fetch)
    places = {key: Path(world.jobs()[key].images[0].path) for key in keys}
    for path in places.values():
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * 10)
    return places


def test_what_is_gone_is_a_finding(world: World) -> None:
    """With its key and place, and an exit code that a script sees; what is there is none."""
    places = home(world, "a", "b")
    assert world.run("audit").code == 0
    places["b"].unlink()
    ran = world.run("audit")
    assert ran.code == 1
    assert "Came home, and no longer on disk as they were" in ran.out
    assert "In all 1 picture of 1 job." in ran.out
    assert "nightsheet retry night" in ran.out
    told = world.run("audit", "--json")
    assert told.code == 1
    assert told.json["gone"] == [{"key": "b", "revision": 1, "row": 3, "paths": [str(places["b"])]}]
    assert told.json["balanced"] is True


def test_it_is_fetched_again(world: World) -> None:
    """Free; a picture that was changed counts as gone. What is there is left alone."""
    places = home(world, "a", "b", "c")
    places["a"].unlink()
    places["b"].write_bytes(b"changed")
    assert world.run("retry", "--kind", "expired").code == 0, "a kind of failure is no success"
    assert world.states() == dict.fromkeys("abc", "succeeded")
    ran = world.run("retry", "--json").json
    assert (ran["reopened"], ran["requeued"], ran["left"]) == (["a", "b"], [], [])
    assert world.states() == {"a": "running", "b": "running", "c": "succeeded"}


def test_a_job_that_is_named_says_why_not(world: World) -> None:
    """It has its pictures; or they are another's."""
    places = home(world, "a")
    assert "it is succeeded" in world.run("retry", "--job", "a").err
    same = world.jobs()["a"]
    inputs = {"prompt": "Generate images of a", "seed": 7}
    world.load(job(0, "a"), job(1, "b", inputs=inputs))

    async def link(store: Store) -> None:
        b = await store.by_key(1, "b")
        assert b is not None
        await store.link([(b.id, same.id)])
        await store.settle_links(1)

    world.store(link)
    assert world.states() == {"a": "succeeded", "b": "succeeded"}
    places["a"].unlink()
    assert "its pictures are gone, and are those of a" in world.run("retry", "--job", "b").err
    assert world.run("audit", "--json").json["gone"][0]["key"] == "a"
    assert world.run("retry").out.startswith("1 job will be fetched again: free.")
    assert world.states() == {"a": "running", "b": "succeeded"}
