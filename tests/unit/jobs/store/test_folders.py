"""Folders: one a job, told apart even on a disk that ignores case."""

from jobs.disk.paths import folder_name
from jobs.states import JobState
from tests.support.tables import Table, planned, rows, select


def folders(table: Table) -> dict[str, str]:
    """Folder by key and revision."""
    found = select(table.path, 'SELECT "key", revision, folder FROM job')
    return {f"{row['key']}/{row['revision']}": row["folder"] for row in found}


async def test_keys_that_differ_in_case_alone_get_folders_of_their_own(table: Table) -> None:
    """The first keeps its name."""
    await table.load(rows("a", "b", "c", "Hero", "hero", "HERO"))
    given = folders(table)
    assert given["Hero/1"] == "Hero"
    assert given["hero/1"].startswith("hero-")
    assert len({name.lower() for name in given.values()}) == len(given)


async def test_a_folder_of_an_earlier_load_is_taken(table: Table) -> None:
    """Whatever its case."""
    await table.load(rows("a", "b", "c", "A"))
    given = folders(table)
    assert given["a/1"] == "a"
    assert given["A/1"].startswith("A-")


async def test_folders_are_told_apart_across_chunks(table: Table) -> None:
    """A sheet is loaded in pieces of 500; the second piece sees the first."""
    fillers = [f"n{number}" for number in range(600)]
    await table.load(rows("Hero", *fillers, "hero"))
    given = folders(table)
    assert given["Hero/1"] == "Hero"
    assert given["hero/1"].lower() not in {"hero", *fillers}


async def test_a_revision_does_not_take_the_folder_of_another_key(table: Table) -> None:
    """`a` changed would be `a-2`, which is another row's own folder."""
    await table.load(rows("a", "A-2"))
    await table.bring("a", JobState.SUCCEEDED)
    await table.load([planned("a", 0, prompt="a wolf"), *rows("a", "A-2")[1:]])
    given = folders(table)
    assert given["A-2/1"] == "A-2"
    assert given["a/2"].startswith("a-2-")


async def test_a_key_that_is_no_safe_name_gets_a_folder_that_is(table: Table) -> None:
    """It is the key's own, however often it is loaded."""
    await table.load(rows("../../etc/passwd"))
    assert folders(table)["../../etc/passwd/1"] == folder_name("../../etc/passwd")


async def test_another_batch_may_use_the_same_folder_names(table: Table) -> None:
    """Each batch has a folder of its own above them."""
    batch, _ = await table.store.batches.load(name="other", sheet=table.path, origin="o", planned=rows("a"))
    found = select(table.path, "SELECT folder FROM job WHERE batch_id = ?", batch.id)
    assert found == [{"folder": "a"}]
