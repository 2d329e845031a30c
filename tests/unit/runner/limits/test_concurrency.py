"""`--concurrency auto`: how many jobs are at the API, as its answers move it."""

from collections.abc import Callable
from itertools import count

import anyio
import pytest

from jobs.concurrency import AUTO, FoundLimit
from runner.limits.concurrency import BEGINS_UNTIL, FIRST, MOST, PROBE_AFTER, InFlight
from tests.support.virtual_time import VirtualClock, virtual


class Api:
    """Takes jobs, ends them one after the other, and says of each whether it waits."""

    def __init__(self, limit: int | None = None, machines: int = 10_000, *, tells: bool = True) -> None:
        self.clock = VirtualClock()
        self.seconds = 0.0
        self.in_flight = InFlight(AUTO, lambda: self.seconds)
        self.limit = limit
        self.machines = machines
        self.tells = tells
        self.there: list[int] = []
        self.refused = 0
        self._numbers = count(1)

    def submit(self) -> bool:
        """Send the next job, where there is room; whether there was."""
        if not self.in_flight.has_room:
            return False
        job_id = next(self._numbers)
        with self.in_flight.submitting(job_id):
            if self.limit is not None and len(self.there) >= self.limit:
                self.refused += 1
                self.in_flight.turned_away(job_id)
                return True
            self.there.append(job_id)
            self.in_flight.begun(job_id)
        return True

    async def fill(self) -> None:
        """Send while there is room, and poll each once."""
        while self.submit():
            pass
        with anyio.move_on_after(0):  # somebody waits: the limit is what holds it up
            await self.in_flight.room()
        for place, job_id in enumerate(self.there):
            self.in_flight.polled(job_id, waits=self.tells and place >= self.machines)

    def end(self, jobs: int) -> None:
        """So many jobs end, one a second at each machine."""
        for _ in range(jobs):
            self.seconds += 1 / max(1, min(self.machines, len(self.there)))
            self.in_flight.ended(self.there.pop(0))

    async def generations(self, many: int) -> None:
        """Each job that ends makes room for the next one."""
        for _ in range(many):
            for _ in range(self.in_flight.limit):
                await self.fill()
                self.end(1)
        await self.fill()


@virtual
async def test_it_grows_while_nothing_waits() -> None:
    """Up to a limit of its own: nobody has asked for thousands."""
    api = Api()
    assert api.in_flight.limit == FIRST
    await api.fill()
    assert api.in_flight.limit == 2 * FIRST, "each job was seen at work: that is enough to know"
    await api.generations(12)
    assert api.in_flight.limit == MOST


@virtual
async def test_it_does_not_grow_where_it_is_not_the_limit() -> None:
    """A rate, or the end of the sheet: eight jobs say nothing about sixteen."""
    api = Api()
    for _ in range(40):
        while len(api.there) < FIRST - 1:
            api.submit()
        api.end(FIRST - 1)
    assert api.in_flight.limit == FIRST


@virtual
async def test_a_queue_holds_just_enough() -> None:
    """A machine never idles, and few wait."""
    api = Api(machines=20)
    await api.generations(6)
    limits = []
    for _ in range(30):
        await api.generations(1)
        limits.append(api.in_flight.limit)
    assert min(limits) >= 20
    assert max(limits) <= 28


@virtual
async def test_more_at_the_api_that_end_no_faster_are_taken_back() -> None:
    """An API that calls everything "in progress", and works on ten."""
    api = Api(machines=10, tells=False)
    limits = []
    for _ in range(20):
        await api.generations(1)
        limits.append(api.in_flight.limit)
    assert max(limits) == 2 * BEGINS_UNTIL
    assert sorted(limits)[10] == BEGINS_UNTIL


@virtual
async def test_a_429_says_how_many_it_takes() -> None:
    """From then on it is asked for one more now and then: fewer than three of a hundred are turned away."""
    api = Api(limit=10)
    await api.fill()
    await api.fill()
    assert api.in_flight.limit == 10
    refused = api.refused
    await api.generations(100)
    assert api.in_flight.limit == 10
    assert 0 < api.refused - refused <= 1000 / PROBE_AFTER


@virtual
async def test_a_limit_that_is_raised_is_found() -> None:
    """Ten, and thirty from some moment on."""
    api = Api(limit=10)
    await api.generations(10)
    api.limit = 30
    await api.generations(15)
    assert 27 <= api.in_flight.limit <= 31


@virtual
async def test_an_account_that_others_use_too() -> None:
    """Twice in a row there is no room for what was there before: it shrinks by a third."""
    api = Api(limit=30)
    await api.generations(8)
    assert api.in_flight.limit >= 27
    api.limit = 5
    for _ in range(40):
        await api.fill()
        api.end(1)
    assert api.in_flight.limit <= 8
    api.limit = 0
    api.end(len(api.there))
    for _ in range(9):
        assert not api.in_flight.turned_away(0), "nothing is there that could end: it waits as it always did"
    assert api.in_flight.limit == 1, "never none"


def test_what_was_on_its_way_together_counts_once() -> None:
    """Of four submits at once two are taken: the limit is what is there with them."""
    in_flight = InFlight(AUTO, lambda: 0.0)
    for job_id in range(6):
        in_flight.begun(job_id)
    with in_flight.submitting(6), in_flight.submitting(7), in_flight.submitting(8), in_flight.submitting(9):
        assert in_flight.turned_away(6)
        assert in_flight.turned_away(7)
        assert in_flight.limit == 6
        in_flight.begun(8)
        in_flight.begun(9)
    assert in_flight.limit == 8
    assert not in_flight.has_room


@virtual
async def test_it_goes_no_further_than_the_process_can() -> None:
    """Few open files: `auto` has a bound of its own."""
    api = Api()
    api.in_flight = InFlight(AUTO, lambda: api.seconds, most=6)
    await api.generations(12)
    assert api.in_flight.limit == 6


def test_a_fixed_number_stays() -> None:
    """Whatever the API says; the slots alone decide."""
    in_flight = InFlight(5, lambda: 0.0)
    for job_id in range(5):
        in_flight.begun(job_id)
        in_flight.polled(job_id, waits=True)
    assert in_flight.has_room
    assert not in_flight.turned_away(6)
    for job_id in range(5):
        in_flight.ended(job_id)
    assert (in_flight.limit, in_flight.slots.total_tokens) == (5, 5)


@pytest.mark.parametrize("job_id", [1, 2])
def test_a_job_that_is_not_at_the_api_moves_nothing(job_id: int) -> None:
    """It was polled apart, or has ended before."""
    in_flight = InFlight(AUTO, lambda: 0.0)
    in_flight.begun(1)
    in_flight.ended(1)
    in_flight.polled(job_id, waits=True)
    in_flight.ended(job_id)
    assert in_flight.limit == FIRST


@virtual
async def test_room_is_waited_for() -> None:
    """Until a job ends; and no longer once a person has set a number."""
    in_flight = InFlight(AUTO, lambda: 0.0)
    for job_id in range(FIRST):
        in_flight.begun(job_id)
    frees: list[Callable[[], None]] = [lambda: in_flight.ended(0), lambda: in_flight.set(3)]
    for free in frees:
        in_flight.begun(0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(in_flight.room)
            await anyio.wait_all_tasks_blocked()
            assert not in_flight.has_room
            free()


@virtual
async def test_it_goes_on_from_what_was_found() -> None:
    """As many as paid off, up to what is allowed here; nothing that was not looked at is told on."""
    clock = VirtualClock()
    known = FoundLimit(40, 44)
    assert InFlight(AUTO, clock.monotonic, found=known).limit == 40
    assert InFlight(AUTO, clock.monotonic, found=known, most=16).limit == 16
    odd = InFlight(AUTO, clock.monotonic, found=FoundLimit(-3, -3))
    assert odd.limit == 1
    odd.begun(1)
    odd.polled(1, waits=False)
    odd.ended(1)
    assert (odd.limit, odd.found) == (1, FoundLimit(1, 1))
    fixed = InFlight(5, clock.monotonic, found=known)
    assert (fixed.limit, fixed.found) == (5, None)
    fixed.set(AUTO)
    assert (fixed.limit, fixed.found) == (40, None)


@virtual
async def test_what_it_finds_is_told() -> None:
    """After it judged, or was turned away."""
    api = Api(limit=10)
    assert api.in_flight.found is None
    await api.fill()
    await api.generations(3)
    assert api.in_flight.found == FoundLimit(api.in_flight.limit, 10)
    assert InFlight(AUTO, api.clock.monotonic, found=api.in_flight.found).limit == api.in_flight.limit
