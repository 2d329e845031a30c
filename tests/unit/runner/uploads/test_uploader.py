"""Pictures of this computer on their way into a submit: put there once, signed for long enough."""

import asyncio
import hashlib
import io
import json
import random
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import from_thread, to_thread
from PIL import Image

from jobs.pauses import PauseReason
from jobs.sheets import SheetSource, open_sheet, plan
from jobs.sheets.images.way import Way
from jobs.sheets.planned import PlannedJob
from jobs.states import JobState
from runner.providers.base import Taken, TurnedAway
from runner.uploads.uploader import LONGEST_SECONDS, MARGIN_SECONDS
from runner.workers.edge.submit import submit
from tests.support.fake_files import FakeFiles
from tests.support.small_pictures import picture, put
from tests.support.virtual_time import VirtualLoop, virtual
from tests.support.world import World, world

EDIT = "bytedance/seedream-4-5/edit"


def planned(folder: Path, *cells: str, prompt: str = "fox") -> list[PlannedJob]:
    """Jobs a, b, c... of a sheet in this folder, with these cells for pictures."""
    sheet = folder / "sheet.csv"
    lines = [f"{chr(97 + n)},{prompt},{EDIT},{cell}" for n, cell in enumerate(cells)]
    sheet.write_text("id,prompt,model,images\n" + "\n".join(lines) + "\n")
    items = list(plan(open_sheet(SheetSource(sheet, way=Way.STORE)), random.Random(1)))
    assert all(isinstance(item, PlannedJob) for item in items), items
    return [item for item in items if isinstance(item, PlannedJob)]


def opened(folder: Path, files: FakeFiles | None, jobs: Sequence[PlannedJob], **more: Any) -> Any:
    """A run over these jobs, with this store."""
    bucket = None if files is None else files.bucket()
    return world(folder, planned=jobs, **({"way": Way.STORE, "bucket": bucket} | more))


def sent(w: World) -> list[list[str]]:
    """The pictures of each submit that left."""
    return [json.loads(call.payload)["images"] for call in w.provider.asked("submit")]


@virtual
async def test_a_picture_is_put_there_and_its_signed_address_is_sent(tmp_path: Path) -> None:
    """Beside addresses, in their order; the hash in the ledger is that of what left."""
    digest = put(tmp_path / "a.png")
    files = FakeFiles()
    async with opened(tmp_path, files, planned(tmp_path, "https://a.example/1.png|a.png")) as w:
        assert await submit(w.run, await w.queued()) is not None
        place = f"bucket/refs/{digest}.png"
        assert sent(w) == [["https://a.example/1.png", f"https://store.example/{place}?signature=1"]]
        assert files.objects == {place: picture()}
        assert files.types == {place: "image/png"}
        assert files.signed == [w.run.timing.deadline + MARGIN_SECONDS]
        (call,) = w.provider.asked("submit")
        assert w.attempts()[0]["payload_sha256"] == hashlib.sha256(call.payload).hexdigest()
        assert "signature" not in w.on_disk()["inputs"]


@virtual
async def test_rows_share_an_upload_and_a_signature(tmp_path: Path) -> None:
    """One after the other, and all at once."""
    put(tmp_path / "a.png")
    put(tmp_path / "b.png", colour="red")
    files = FakeFiles()
    async with opened(tmp_path, files, planned(tmp_path, *["a.png|b.png"] * 6)) as w:
        jobs = [await w.queued(key) for key in "abcdef"]
        async with anyio.create_task_group() as tasks:
            for job in jobs[:5]:
                tasks.start_soon(submit, w.run, job)
        await submit(w.run, jobs[5])
        assert len(sent(w)) == 6
        assert len(files.puts) == len(files.signed) == 2


@virtual
async def test_what_is_there_already_is_not_put_there_again(tmp_path: Path) -> None:
    """Of an earlier night, or of a run that was killed after the upload; its file may be gone by then."""
    digest = put(tmp_path / "a.png")
    files = FakeFiles()
    files.objects[f"bucket/refs/{digest}.png"] = picture()
    async with opened(tmp_path, files, planned(tmp_path, "a.png")) as w:
        (tmp_path / "a.png").unlink()
        assert await submit(w.run, await w.queued()) is not None
        assert files.puts == []


@virtual
async def test_half_an_object_is_put_there_again(tmp_path: Path) -> None:
    """Another length is another content."""
    digest = put(tmp_path / "a.png")
    files = FakeFiles()
    files.objects[f"bucket/refs/{digest}.png"] = b"half"
    async with opened(tmp_path, files, planned(tmp_path, "a.png")) as w:
        await submit(w.run, await w.queued())
        assert files.objects == {f"bucket/refs/{digest}.png": picture()}


@virtual
async def test_where_we_may_not_look_it_is_put_there(tmp_path: Path) -> None:
    """A store that may not be listed says "forbidden" of what is not there."""
    put(tmp_path / "a.png")
    files = FakeFiles()
    files.fails.append(PermissionError("403"))
    async with opened(tmp_path, files, planned(tmp_path, "a.png")) as w:
        assert await submit(w.run, await w.queued()) is not None
        assert w.stops == []


@virtual
async def test_a_signature_that_is_too_old_is_made_anew(tmp_path: Path) -> None:
    """As soon as less is left than a job's longest wait; the picture itself stays where it is."""
    put(tmp_path / "a.png")
    files = FakeFiles()
    async with opened(tmp_path, files, planned(tmp_path, *["a.png"] * 3)) as w:
        await submit(w.run, await w.queued("a"))
        w.clock.jump(timedelta(seconds=MARGIN_SECONDS - 60))
        await submit(w.run, await w.queued("b"))
        w.clock.jump(timedelta(seconds=120))
        await submit(w.run, await w.queued("c"))
        assert [images[0][-1] for images in sent(w)] == ["1", "1", "2"]
        assert len(files.puts) == 1


@virtual
async def test_a_job_that_waits_for_its_turn_is_signed_anew(tmp_path: Path) -> None:
    """Turned away for hours: what leaves in the end has a link that works."""
    put(tmp_path / "a.png")
    files = FakeFiles()
    busy = TurnedAway("429", retry_after_seconds=3 * MARGIN_SECONDS, busy=True)
    async with opened(tmp_path, files, planned(tmp_path, "a.png"), outage_limit=604_800) as w:
        w.provider.says("submit", busy, Taken("req-1"))
        assert await submit(w.run, await w.queued()) is not None
        assert [images[0][-1] for images in sent(w)] == ["1", "2"]


@virtual
async def test_no_store_signs_for_longer_than_a_week(tmp_path: Path) -> None:
    """A deadline of a week has to do with that."""
    put(tmp_path / "a.png")
    files = FakeFiles()
    async with opened(tmp_path, files, planned(tmp_path, "a.png"), deadline=LONGEST_SECONDS) as w:
        assert await submit(w.run, await w.queued()) is not None
        assert files.signed == [LONGEST_SECONDS]


@pytest.mark.parametrize("change", ["changed", "longer", "gone", "folder"])
def test_a_file_that_changed_is_not_sent(tmp_path: Path, change: str) -> None:
    """Nothing is paid; the words say what to do. The others go on."""

    @virtual
    async def test() -> None:
        path = tmp_path / "a.png"
        put(path)
        put(tmp_path / "b.png", colour="red")
        files = FakeFiles()
        async with opened(tmp_path, files, planned(tmp_path, "a.png", "b.png")) as w:
            if change in ("gone", "folder"):
                path.unlink()
                if change == "folder":
                    path.mkdir()
            else:
                put(path, picture(colour="blue") if change == "changed" else picture() + b"more")
            assert await submit(w.run, await w.queued("a")) is None
            assert await submit(w.run, await w.queued("b")) is not None
            job = await w.job("a")
            assert (job.state, job.attempts) == (JobState.FAILED, 0)
            assert job.failure is not None
            assert str(path) in job.failure.message
            word = "has changed" if change in ("changed", "longer") else "cannot be read any more"
            assert word in job.failure.message
            assert "Nothing was sent or paid. Run its sheet again" in job.failure.message
            assert len(files.objects) == 1
            assert w.run.tally.ended == 1

    test()


@virtual
async def test_a_copy_of_the_picture_does_as_well(tmp_path: Path) -> None:
    """Wherever a sheet has seen this content."""
    put(tmp_path / "a.png")
    put(tmp_path / "copy.png")
    files = FakeFiles()
    async with opened(tmp_path, files, planned(tmp_path, "a.png|copy.png")) as w:
        (tmp_path / "copy.png").write_bytes(b"changed")
        assert await submit(w.run, await w.queued()) is not None
        (images,) = sent(w)
        assert images[0] == images[1]


@virtual
async def test_pictures_that_are_all_gone_pause_the_batch(tmp_path: Path) -> None:
    """Not ten thousand rows one after the other."""
    put(tmp_path / "a.png")
    files = FakeFiles()
    async with opened(tmp_path, files, planned(tmp_path, *["a.png"] * 25)) as w:
        (tmp_path / "a.png").unlink()
        jobs = await w.store.jobs.queued(w.run.batch.id, limit=100)
        for job in jobs:
            if w.run.limits.brake.stop is None:
                await submit(w.run, job)
        assert [stop.reason for stop in w.stops] == [PauseReason.GUARD]
        assert (await w.store.jobs.counts(w.run.batch.id))[JobState.FAILED] == 20


@virtual
async def test_trouble_of_the_store_is_ridden_out(tmp_path: Path) -> None:
    """With growing pauses, on the run's own clock; told once at its beginning and once at its end."""
    put(tmp_path / "a.png")
    files = FakeFiles()
    files.fails.extend([OSError(5, "no"), TimeoutError(), ConnectionError("https://s/x?secret=1 gone")])
    async with opened(tmp_path, files, planned(tmp_path, "a.png")) as w:
        begun = w.clock.monotonic()
        assert await submit(w.run, await w.queued()) is not None
        assert 3 < w.clock.monotonic() - begun < 9
        assert [notice.split("(")[0] for notice in w.notices] == [
            "The store of the pictures does not answer ",
            "The store of the pictures answers again.",
        ]
        assert w.stops == []


@virtual
async def test_trouble_that_lasts_pauses_the_batch(tmp_path: Path) -> None:
    """As long as an outage is ridden out; the job stays queued, and nothing of it counts as sent."""
    put(tmp_path / "a.png")
    files = FakeFiles()
    files.fails.extend([ConnectionError("https://s/x?secret=1 gone")] * 1000)
    async with opened(tmp_path, files, planned(tmp_path, "a.png"), outage_limit=600.0) as w:
        assert await submit(w.run, await w.queued()) is None
        assert 600 <= w.clock.monotonic() < 700
        (stop,) = w.stops
        assert stop.reason is PauseReason.GUARD
        assert "s3://bucket/refs has not been reachable for 600 s" in stop.detail
        assert "secret" not in stop.detail + "".join(w.notices)
        assert ((await w.job()).state, w.attempts()) == (JobState.QUEUED, [])


@pytest.mark.parametrize(
    "error",
    [
        PermissionError("The AWS Access Key Id you provided does not exist"),
        FileNotFoundError("The specified bucket does not exist"),
        OSError(22, "AuthorizationHeaderMalformed"),
        type("NoCredentialsError", (Exception,), {})("Unable to locate credentials"),
    ],
)
def test_a_refusal_of_the_store_pauses_the_batch_at_once(tmp_path: Path, error: Exception) -> None:
    """Credentials, or a bucket that is not there: no row is to blame."""

    @virtual
    async def test() -> None:
        put(tmp_path / "a.png")
        files = FakeFiles()
        async with opened(tmp_path, files, planned(tmp_path, *["a.png"] * 3)) as w:
            files.fails.extend([FileNotFoundError("nothing there yet"), error])
            async with anyio.create_task_group() as tasks:
                for key in "abc":
                    tasks.start_soon(submit, w.run, await w.queued(key))
            (stop,) = w.stops
            assert stop.reason is PauseReason.GUARD
            assert stop.detail.startswith("The store s3://bucket/refs refuses: ")
            assert set((await w.states()).values()) == {JobState.QUEUED}
            assert w.provider.asked("submit") == []

    test()


@virtual
async def test_without_a_way_the_batch_waits_for_one(tmp_path: Path) -> None:
    """A batch that was loaded with one, and is resumed without."""
    put(tmp_path / "a.png")
    async with opened(tmp_path, None, planned(tmp_path, "a.png"), way=Way.REFUSE) as w:
        assert await submit(w.run, await w.queued()) is None
        (stop,) = w.stops
        assert (stop.reason, "--upload" in stop.detail) == (PauseReason.GUARD, True)
        assert (await w.job()).state is JobState.QUEUED


@virtual
async def test_inside_the_request(tmp_path: Path) -> None:
    """The very bytes, with the type of their content, however often it is named."""
    put(tmp_path / "a.png", form="JPEG")
    jobs = planned(tmp_path, "a.png|https://a.example/1.png|a.png")
    async with opened(tmp_path, None, jobs, way=Way.INSIDE) as w:
        assert await submit(w.run, await w.queued()) is not None
        ((first, second, third),) = sent(w)
        assert second == "https://a.example/1.png"
        assert first == third
        head, packed = first.split(",")
        assert (head, b64decode(packed)) == ("data:image/jpeg;base64", picture("JPEG"))


@virtual
async def test_words_that_look_like_a_picture_stay_words(tmp_path: Path) -> None:
    """A prompt is sent as it was written."""
    digest = put(tmp_path / "a.png")
    name = f"picture:sha256:{digest}.png"
    files = FakeFiles()
    async with opened(tmp_path, files, planned(tmp_path, "a.png", prompt=name)) as w:
        await submit(w.run, await w.queued())
        (call,) = w.provider.asked("submit")
        body = json.loads(call.payload)
        assert body["prompt"] == name
        assert body["images"][0].startswith("https://store.example/")


@virtual
async def test_a_pause_meanwhile_ends_the_wait(tmp_path: Path) -> None:
    """A person, a balance: nothing is claimed for what is being put there."""
    put(tmp_path / "a.png")
    files = FakeFiles()
    files.fails.extend([ConnectionError()] * 1000)
    async with opened(tmp_path, files, planned(tmp_path, "a.png")) as w:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(submit, w.run, await w.queued())
            await w.clock.sleep(10)
            w.run.limits.brake.pause(PauseReason.PERSON, "enough")
        assert w.clock.monotonic() < 11
        assert w.attempts() == []


@virtual
async def test_the_event_loop_goes_on_during_an_upload(tmp_path: Path) -> None:
    """What blocks is in a thread."""
    put(tmp_path / "a.png")
    files = FakeFiles()
    here = threading.get_ident()
    threads: list[int] = []
    files.at_put = lambda: threads.append(threading.get_ident())
    async with opened(tmp_path, files, planned(tmp_path, "a.png")) as w:
        await submit(w.run, await w.queued())
    assert threads
    assert here not in threads


def pass_in_thread(seconds: float) -> None:
    """So much time passes, and the loop has seen it."""

    def jump() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.jump(seconds)

    from_thread.run_sync(jump)
    from_thread.run_sync(lambda: None)


@contextmanager
def stuck_uploads(files: FakeFiles, at_put: Callable[[], object]) -> Iterator[None]:
    """No upload ends within."""
    go_on = threading.Event()

    def stuck() -> None:
        at_put()
        go_on.wait()

    files.at_put = stuck
    try:
        yield
    finally:
        files.at_put = lambda: None
        go_on.set()


@virtual
async def test_an_upload_has_time_by_its_size(tmp_path: Path) -> None:
    """Three megabytes on a slow line are no trouble of the store."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (1000, 1000), random.Random(1).randbytes(3_000_000)).save(buffer, "PNG")
    put(tmp_path / "a.png", buffer.getvalue())
    files = FakeFiles()
    files.at_put = lambda: pass_in_thread(110)
    async with opened(tmp_path, files, planned(tmp_path, "a.png")) as w:
        assert await submit(w.run, await w.queued()) is not None
        assert (len(files.puts), w.notices) == (1, [])


@virtual
async def test_an_upload_that_takes_too_long_is_not_begun_beside_itself(tmp_path: Path) -> None:
    """It may come about yet, and is looked for."""
    put(tmp_path / "a.png")
    files = FakeFiles()
    async with opened(tmp_path, files, planned(tmp_path, "a.png"), outage_limit=604_800) as w:
        async with anyio.create_task_group() as tasks:
            with stuck_uploads(files, lambda: pass_in_thread(100)):
                tasks.start_soon(submit, w.run, await w.queued())
                await w.clock.sleep(500)
                assert len(files.puts) == 1
                assert "(no answer within 60 s)" in w.notices[0]
        assert len(files.puts) == len(sent(w)) == 1
        assert w.notices[1:] == ["The store of the pictures answers again."]


@virtual
async def test_uploads_that_take_too_long_do_not_pile_up(tmp_path: Path) -> None:
    """Each that is begun beside them slows them down."""
    for name in "abcdefg":
        put(tmp_path / f"{name}.png", size=(64, ord(name)))
    files = FakeFiles()
    jobs = planned(tmp_path, *(f"{name}.png" for name in "abcdefg"))
    async with opened(tmp_path, files, jobs, outage_limit=604_800, gate=8) as w:
        async with anyio.create_task_group() as tasks:
            with stuck_uploads(files, lambda: pass_in_thread(100)):
                for more in ("abcd", "efg"):
                    for name in more:
                        tasks.start_soon(submit, w.run, await w.queued(name))
                    await w.clock.sleep(1000)
                assert len(files.puts) == 4
        assert len(files.puts) == len(sent(w)) == 7


@virtual
async def test_to_wait_for_a_place_is_not_to_wait_for_the_store(tmp_path: Path) -> None:
    """Four large pictures take their time; the small one behind them has all of its own."""
    for name in "abcd":
        put(tmp_path / f"{name}.png", picture(size=(64, ord(name))) + bytes(3_000_000))
    put(tmp_path / "e.png")
    files = FakeFiles()
    jobs = planned(tmp_path, *(f"{name}.png" for name in "abcde"))
    async with opened(tmp_path, files, jobs, gate=8) as w:
        together = threading.Barrier(5)
        async with anyio.create_task_group() as tasks:
            with stuck_uploads(files, together.wait):
                for name in "abcd":
                    tasks.start_soon(submit, w.run, await w.queued(name))
                await to_thread.run_sync(together.wait)
                tasks.start_soon(submit, w.run, await w.queued("e"))
                while not w.run.images.uploader._threads.statistics().tasks_waiting:
                    await anyio.lowlevel.checkpoint()
                await to_thread.run_sync(pass_in_thread, 110)
        assert (len(files.puts), len(sent(w)), w.notices) == (5, 5, [])


@virtual
async def test_an_upload_whose_answer_was_lost_is_not_made_again(tmp_path: Path) -> None:
    """It is there."""
    digest = put(tmp_path / "a.png")
    files = FakeFiles()

    def lost() -> None:
        files.objects[f"bucket/refs/{digest}.png"] = picture()
        raise ConnectionError("reset")

    files.at_put = lost
    async with opened(tmp_path, files, planned(tmp_path, "a.png")) as w:
        assert await submit(w.run, await w.queued()) is not None
        assert len(files.puts) == 1


@virtual
async def test_a_cancelled_job_leaves_its_upload_behind(tmp_path: Path) -> None:
    """At once. Another row that names the picture does not begin it beside that."""
    put(tmp_path / "a.png")
    files = FakeFiles()
    async with opened(tmp_path, files, planned(tmp_path, "a.png", "a.png"), outage_limit=604_800) as w:
        job = await w.queued("a")
        async with anyio.create_task_group() as tasks:
            with stuck_uploads(files, lambda: from_thread.run_sync(w.run.queue.pending.end, job.id)):
                assert await submit(w.run, job) is None
                tasks.start_soon(submit, w.run, await w.queued("b"))
                await w.clock.sleep(100)
                assert len(files.puts) == 1
        assert len(files.puts) == len(sent(w)) == 1


class Killed(BaseException):
    """kill -9."""


@virtual
async def test_a_kill_between_upload_and_submit_costs_nothing(tmp_path: Path) -> None:
    """Neither a payment nor a doubt nor a second upload: the next run finds the picture and sends the job."""
    put(tmp_path / "a.png")
    files = FakeFiles()

    def kill(name: str) -> None:
        if name == "before intent":
            raise Killed

    async with opened(tmp_path, files, planned(tmp_path, "a.png"), probe=kill) as w:
        with pytest.raises(Killed):
            await submit(w.run, await w.queued())
        assert len(files.puts) == 1
        assert (w.on_disk()["state"], w.attempts()) == ("queued", [])
    async with opened(tmp_path, files, planned(tmp_path, "a.png")) as w:
        assert await submit(w.run, await w.queued()) is not None
        assert len(files.puts) == 1


@pytest.mark.parametrize(
    "host", ["http://127.0.0.1:9000", "https://localhost", "http://minio.lan", "https://10.0.0.7"]
)
def test_addresses_that_the_api_cannot_fetch_pause_the_batch(tmp_path: Path, host: str) -> None:
    """A store on this machine or its network: every run would fail, and perhaps be paid."""

    @virtual
    async def test() -> None:
        put(tmp_path / "a.png")
        files = FakeFiles()
        files.host = host
        async with opened(tmp_path, files, planned(tmp_path, "a.png")) as w:
            assert await submit(w.run, await w.queued()) is None
            (stop,) = w.stops
            assert f"signs addresses that the API cannot fetch: {host}/" in stop.detail
            assert "signature" not in stop.detail
            assert w.attempts() == []

    test()


@virtual
async def test_a_cancelled_job_does_not_wait_for_the_store(tmp_path: Path) -> None:
    """However long the store is in trouble."""
    put(tmp_path / "a.png")
    files = FakeFiles()
    files.fails.extend([ConnectionError()] * 1000)
    async with opened(tmp_path, files, planned(tmp_path, "a.png")) as w:
        job = await w.queued()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(submit, w.run, job)
            await w.clock.sleep(10)
            w.run.queue.pending.end(job.id)
        assert w.clock.monotonic() < 11
        assert (w.stops, w.attempts()) == ([], [])
