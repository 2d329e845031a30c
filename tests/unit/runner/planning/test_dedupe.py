"""`--dedupe`: of rows that say the same one is sent, and the others get what it brings."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import UsageProblem
from jobs.outcomes import Attached, Requeued
from jobs.states import JobState
from jobs.store.batches import Batches
from jobs.store.jobs import Jobs
from jobs.store.links import Links
from jobs.store.sqlite.database import open_database
from jobs.store.store import Store
from jobs.views import Alike
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from runner.planning.consent import Ask
from runner.planning.dedupe import links_among
from runner.planning.selection import Selection
from tests.simulation.evidence import gather
from tests.simulation.oracle import between_runs, i8_manifests_complete, unknown_files
from tests.support.night import SERIES, SINGLE, Night, night
from tests.support.virtual_time import virtual

S = JobState


def sheet(w: Night, *prompts: str, model: str = SINGLE, **columns: str) -> Path:
    """A row for each letter: `aab` is two rows that say the same, and one that does not."""
    path = w.folder / "sheet.csv"
    names = ["id", "model", "prompt", *columns]
    rows = [
        ",".join([f"row-{number}", model, f"A boat no. {said}", *(text[number] for text in columns.values())])
        for number, said in enumerate("".join(prompts))
    ]
    path.write_text("\n".join([",".join(names), *rows]) + "\n")
    return path


def alike(number: int, state: JobState = S.QUEUED, *, unsent: bool = True) -> Alike:
    unsent = unsent and state is S.QUEUED
    return Alike(number, f"row-{number}", SINGLE, 1, state, agreed=False, unsent=unsent)


@pytest.mark.parametrize(
    ("kind", "within", "links"),
    [
        ([alike(1), alike(2), alike(3)], None, [(2, 1), (3, 1)]),
        ([alike(1), alike(2, S.SUCCEEDED)], None, [(1, 2)]),
        ([alike(1, S.UNCONFIRMED), alike(2, S.RUNNING), alike(3)], None, [(3, 2)]),
        ([alike(1), alike(2, unsent=False)], None, [(1, 2)]),
        ([alike(1, unsent=False), alike(2)], None, [(2, 1)]),
        ([alike(1), alike(2), alike(3)], {2, 3}, [(3, 2)]),
        ([alike(1), alike(2)], {2}, []),
        ([alike(1), alike(2, S.SUCCEEDED), alike(3)], {3}, [(3, 2)]),
        ([alike(1), alike(2)], set(), []),
    ],
)
def test_who_waits_for_whom(kind: list[Alike], within: set[int] | None, links: list[tuple[int, int]]) -> None:
    """For what is here or on its way, else for the first in its turn; a part does not wait for the rest."""
    assert [(job.id, twin.id) for job, twin in links_among([kind], within)] == links


@virtual
async def test_one_is_sent_for_all(tmp_path: Path) -> None:
    """One picture, on disk once; each record has it, and says whose it is and that it cost nothing."""
    async with night(tmp_path) as w:
        asked: list[Ask] = []

        async def agree(ask: Ask) -> bool:
            asked.append(ask)
            return True

        report = await w.run(sheet(w, "abaca"), agree, dedupe=True)
        assert (report.exit_code, report.linked, report.waiting) == (0, 2, 0)
        assert [(ask.jobs, ask.images) for ask in asked] == [(3, 3)]
        assert w.submits() == {f"A boat no. {said}": 1 for said in "abc"}
        assert report.account.submits == report.images == 3
        assert w.watching.notices[0] == (
            "2 jobs are identical to others: they get the same pictures, and are not paid for."
        )
        records = w.manifest()
        assert [record.get("same_as") for record in records] == [None, None, "row-0", None, "row-0"]
        first, _, second, _, third = records
        assert second["images"] == third["images"] == first["images"]
        assert first["images"][0]["path"] == "row-0/01.jpg"
        assert (second["state"], second["cost_usd"], second["attempts"]) == ("succeeded", 0.0, 0)
        assert (second["request_id"], second["error"]) == (None, None)
        assert w.pictures_whole() == 5
        csv = (tmp_path / "outputs" / "sheet" / "manifest.csv").read_text().splitlines()
        assert csv[0].endswith(",finished_at,same_as")
        assert csv[3].endswith(",row-0")
        calls = list(w.transport.calls)
        again = await w.run(sheet(w, "abaca"))
        assert (again.exit_code, again.linked, w.transport.calls) == (0, 2, calls)


@virtual
async def test_without_the_word_each_is_paid(tmp_path: Path) -> None:
    """Identical rows are jobs of their own, and their manifest is as it was."""
    async with night(tmp_path) as w:
        report = await w.run(sheet(w, "aa"))
        assert (report.exit_code, report.linked, w.submits()) == (0, 0, {"A boat no. a": 2})
        assert not any("same_as" in record for record in w.manifest())


@virtual
async def test_seeds_that_are_drawn_are_not_the_same_and_listed_ones_are(tmp_path: Path) -> None:
    """What differs in its seed differs."""
    async with night(tmp_path) as w:
        await w.run(sheet(w, "aaaa", model=SERIES, seed="77 8"), dedupe=True)
        seeds = [submit.body["seed"] for submit in w.service.ledger]
        assert len(seeds) == len(set(seeds)) == 3
        assert [record.get("same_as") for record in w.manifest()] == [None, "row-0", None, None]


@virtual
async def test_what_was_paid_before_counts(tmp_path: Path) -> None:
    """A row under another id has its job; one more that says the same shares it: nothing is asked for."""
    async with night(tmp_path) as w:
        await w.run(sheet(w, "a"))
        calls = list(w.transport.calls)
        path = w.folder / "sheet.csv"
        path.write_text(path.read_text().replace("row-0", "renamed") + f"added,{SINGLE},A boat no. a\n")
        report = await w.run(path, dedupe=True)
        assert (report.exit_code, report.linked, w.transport.calls) == (0, 1, calls)
        assert [record.get("same_as") for record in w.manifest()] == [None, "renamed"]
        assert w.pictures_whole() == 2


@virtual
async def test_a_doubt_is_waited_for(tmp_path: Path) -> None:
    """Nothing else that says the same is sent; what a person decides about the one, counts for all."""
    broken = Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.DROP, accepted=True)
    async with night(tmp_path, faults=[broken]) as w:
        report = await w.run(sheet(w, "aa"), dedupe=True)
        assert (report.exit_code, report.waiting) == (1, 1)
        assert w.states() == {S.UNCONFIRMED: 1, S.QUEUED: 1}
        again = await w.resume()
        assert again is not None
        assert (again.exit_code, w.submits()) == (1, {"A boat no. a": 1})
        async with open_database(w.database) as database:
            store = Store(database, w.clock.now)
            batch = await store.batches.named("sheet")
            (unconfirmed,) = await store.jobs.in_state(batch.id, [S.UNCONFIRMED])
            assert await store.jobs.apply(
                Attached(unconfirmed.id, w.service.ledger[0].request_id, w.clock.now())
            )
        last = await w.resume()
        assert last is not None
        assert (last.exit_code, last.linked, w.submits()) == (0, 1, {"A boat no. a": 1})


@virtual
async def test_a_part_waits_for_nobody_outside_of_it(tmp_path: Path) -> None:
    """And what is left out is linked by the run that has it."""
    async with night(tmp_path) as w:
        path = sheet(w, "aaab", style="xyyy")
        report = await w.run(path, selection=Selection(where=(("style", "y"),)), dedupe=True)
        assert (report.exit_code, report.left_out, report.linked) == (0, 1, 1)
        assert w.submits() == {"A boat no. a": 1, "A boat no. b": 1}
        assert [record.get("same_as") for record in w.manifest()] == [None, None, "row-1", None]
        report = await w.run(path, dedupe=True)
        assert (report.exit_code, report.linked) == (0, 2)
        assert w.submits() == {"A boat no. a": 1, "A boat no. b": 1}


@virtual
async def test_a_part_of_what_waits_is_left_out_with_what_it_waits_for(tmp_path: Path) -> None:
    """That is no failure; and it is told why a job that was named is not sent."""
    async with night(tmp_path) as w:
        with pytest.raises(UsageProblem):
            await w.run(sheet(w, "aab"), refuse, dedupe=True)
        report = await w.run(sheet(w, "aab"), selection=Selection(only=("row-1", "row-2")))
        assert (report.exit_code, report.left_out, report.waiting) == (0, 2, 1)
        assert (
            "Job 'row-1' says what 'row-0' says, and gets its result: it is not sent." in w.watching.notices
        )
        assert w.submits() == {"A boat no. b": 1}


async def refuse(_ask: Ask) -> bool:
    return False


@virtual
async def test_links_end_where_they_are_not_wanted(tmp_path: Path) -> None:
    """Until they have a result; what is linked stays so in a run that says nothing about it."""
    async with night(tmp_path) as w:
        with pytest.raises(UsageProblem):
            await w.run(sheet(w, "aa"), refuse, dedupe=True)
        asked: list[int] = []

        def says(answer: bool) -> Callable[[Ask], object]:
            async def consent(ask: Ask) -> bool:
                asked.append(ask.jobs)
                return answer

            return consent

        for dedupe in (None, False):
            with pytest.raises(UsageProblem):
                await w.run(sheet(w, "aa"), says(False), dedupe=dedupe)  # type: ignore[arg-type]
        assert asked == [1, 2]
        report = await w.run(sheet(w, "aa"))
        assert (report.linked, w.submits()) == (0, {"A boat no. a": 2})


@virtual
async def test_a_budget_has_room_for_what_costs_nothing(tmp_path: Path) -> None:
    """A linked job sets no money aside."""
    async with night(tmp_path, price_usd={SINGLE: "0.05"}) as w:
        report = await w.run(sheet(w, "aaaa"), dedupe=True, budget="0.05")
        assert (report.exit_code, report.paused, report.linked) == (0, None, 3)


@virtual
async def test_another_takes_the_place_of_one_that_was_cancelled_meanwhile(tmp_path: Path) -> None:
    """In the same run, and it was agreed to with the first."""
    async with night(tmp_path) as w:
        path = sheet(w, "aa")
        with pytest.raises(UsageProblem):
            await w.run(path, refuse, dedupe=True)

        original = Batches.agree

        async def agree_then_cancel(self: Batches, batch_id: int, only: object = None) -> int:
            done = await original(self, batch_id)
            await Jobs(self._database, self._now).cancel(batch_id, ["row-0"])
            return done

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Batches, "agree", agree_then_cancel)
            report = await w.run(path)
        assert (report.counts[S.CANCELLED], report.counts[S.SUCCEEDED]) == (1, 1)
        assert w.submits() == {"A boat no. a": 1}


@virtual
async def test_what_was_agreed_to_is_not_passed_to_something_else(tmp_path: Path) -> None:
    """The one that was waited for says something else by now, and that is what was agreed to."""
    async with night(tmp_path) as w:
        for said in ("aa", "b"):
            with pytest.raises(UsageProblem):
                await w.run(sheet(w, said), refuse, dedupe=True)
        async with open_database(w.database) as database:
            store = Store(database, w.clock.now)
            await store.batches.agree((await store.batches.named(None)).id)
        with pytest.raises(UsageProblem):
            await w.run(sheet(w, "ba"), refuse)
        agreed = {job["key"]: (job["agreed"], job["same_as"]) for job in w.jobs()}
        assert agreed == {"row-0": (1, None), "row-1": (0, None)}


@virtual
async def test_a_copy_waits_for_what_is_sent_again(tmp_path: Path) -> None:
    """That one is paid again in any case."""
    async with night(tmp_path, faults=[Fault(endpoint=Endpoint.RESULT, kind=FaultKind.FAILED, times=1)]) as w:
        await w.run(sheet(w, "aa"), dedupe=True, selection=Selection(only=("row-1",)))
        assert w.states() == {S.FAILED: 1, S.QUEUED: 1}
        async with open_database(w.database) as database:
            store = Store(database, w.clock.now)
            batch = await store.batches.named(None)
            failed = await store.jobs.in_state(batch.id, [S.FAILED])
            assert await store.jobs.apply(Requeued(failed[0].id, w.clock.now()))
        await w.resume()
        assert w.submits() == {"A boat no. a": 2}
        assert w.states() == {S.SUCCEEDED: 2}


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("place", ["before intent", "before submit", "after submit", "after commit"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_kill_loses_no_link_and_pays_nothing_twice(tmp_path: Path, place: str, nth: int) -> None:
    """Wherever it comes; what the process left in doubt is decided, and all come home."""

    @virtual
    async def run() -> None:
        async with night(tmp_path) as w:
            left = [nth]

            def probe(name: str) -> None:
                left[0] -= name == place
                if left[0] == 0 and name == place:
                    raise Killed

            w.probe = probe
            with pytest.raises(BaseExceptionGroup):
                await w.run(sheet(w, "aabbab"), dedupe=True, submit_gate=1, concurrency=1)
            w.probe = lambda _name: None
            report = await w.resume(resubmit_unconfirmed=1 if place == "before submit" else 0)
            assert report is not None
            assert all(times == 1 for times in w.submits().values())
            unconfirmed = place == "after submit"
            assert report.exit_code == int(unconfirmed)
            assert report.linked + report.waiting == 4
            assert (report.waiting > 0) is unconfirmed
            found = gather(w)
            between_runs(found, unknown_files(found))
            i8_manifests_complete(found)

    run()


@virtual
async def test_what_was_asked_for_outlives_a_kill_before_it_was_done(tmp_path: Path) -> None:
    """The sheet is loaded, nothing is linked yet: `resume` has not been told, and pays one all the same."""
    async with night(tmp_path) as w:

        async def dies(self: Links, batch_id: int) -> list[list[Alike]]:
            raise Killed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Links, "alike", dies)
            with pytest.raises(Killed):
                await w.run(sheet(w, "aab"), dedupe=True)
        assert w.states() == {S.QUEUED: 3}
        await w.resume()
        assert w.submits() == {"A boat no. a": 1, "A boat no. b": 1}


@virtual
async def test_the_rest_of_a_part_is_held_against_what_was_sent(tmp_path: Path) -> None:
    """By a later run that says nothing of it; `dedupe=False` is what ends it."""
    async with night(tmp_path) as w:
        await w.run(sheet(w, "aa"), dedupe=True, selection=Selection(only=("row-1",)))
        assert w.states() == {S.SUCCEEDED: 1, S.QUEUED: 1}
        await w.resume()
        assert w.submits() == {"A boat no. a": 1}
        assert w.states() == {S.SUCCEEDED: 2}
        await w.run(sheet(w, "aaa"), dedupe=False)
        assert w.submits() == {"A boat no. a": 2}


@virtual
async def test_a_kill_before_the_others_got_their_result_costs_nothing(tmp_path: Path) -> None:
    """The next run has all that it needs on disk, and asks the API nothing."""
    async with night(tmp_path) as w:
        settle, times = Links.settle, [2]

        async def dies(self: Links, batch_id: int) -> int:
            times[0] -= 1
            if times[0] < 0:
                raise Killed
            return await settle(self, batch_id)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Links, "settle", dies)
            with pytest.raises(BaseExceptionGroup):
                await w.run(sheet(w, "aab"), dedupe=True)
        assert w.states() == {S.SUCCEEDED: 2, S.QUEUED: 1}
        calls = list(w.transport.calls)
        report = await w.resume()
        assert report is not None
        assert (report.exit_code, report.linked, w.transport.calls) == (0, 1, calls)
        found = gather(w)
        between_runs(found, unknown_files(found))
        i8_manifests_complete(found)
