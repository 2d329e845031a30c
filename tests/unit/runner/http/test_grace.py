"""After its deadline a submit still reads what has arrived: the process may have been stopped meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine

import anyio
import httpx
import pytest

from runner.http.api_client import ApiClient
from runner.http.deadline import GRACE_SECONDS
from runner.http.replies import SENT_EXTENSION, Answer, NoAnswer, NotSent, Reply
from tests.support.virtual_time import VirtualLoop, virtual

DEADLINE = 60.0
RECEIPT = b'{"request_id":"r-1"}'

Handler = Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


class Pieces(httpx.AsyncByteStream):
    """A receipt that arrives byte by byte: each needs a turn of the event loop, and `seconds`."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for place in range(len(RECEIPT)):
            await asyncio.sleep(self._seconds)
            yield RECEIPT[place : place + 1]


async def ask(handler: Handler, *, fresh: bool = True) -> tuple[Reply, float]:
    """A call with a deadline of a minute; what came of it, and when."""
    async with ApiClient("https://api.test/v1", None, transport=httpx.MockTransport(handler)) as api:
        reply = await api.request("POST", "/models/a", timeout_seconds=DEADLINE, fresh=fresh)
    return reply, asyncio.get_running_loop().time()


def after(seconds: float) -> Handler:
    """A server that answers then."""

    async def handler(_request: httpx.Request) -> httpx.Response:
        await anyio.sleep(seconds)
        return httpx.Response(200, content=RECEIPT)

    return handler


def stopped_for(*seconds: float) -> Handler:
    """The process is stopped while its request is on the way, and again before it has read the answer."""

    async def handler(_request: httpx.Request) -> httpx.Response:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        await asyncio.sleep(1)
        for stop in seconds:
            loop.jump(stop)
            for _ in range(5):
                await asyncio.sleep(0)
        return httpx.Response(200, stream=Pieces())

    return handler


@virtual
async def test_a_receipt_that_came_during_a_stop_is_read() -> None:
    """The deadline fires in the first turn after the stop; the receipt needs twenty."""
    reply, _ = await ask(stopped_for(3600))
    assert reply == Answer(200, {}, RECEIPT)


@virtual
async def test_a_second_stop_takes_nothing_from_the_grace() -> None:
    """It would fire in the first turn as well."""
    reply, _ = await ask(stopped_for(3600, 3600, 3600))
    assert reply == Answer(200, {}, RECEIPT)


@virtual
async def test_a_grace_ends_as_soon_as_the_answer_is_whole() -> None:
    """Nobody waits for its end."""
    reply, moment = await ask(after(DEADLINE + GRACE_SECONDS / 2))
    assert isinstance(reply, Answer)
    assert reply.body == RECEIPT
    assert moment == DEADLINE + GRACE_SECONDS / 2


@virtual
async def test_a_grace_ends() -> None:
    """What has not arrived by then leaves a doubt, as before."""
    reply, moment = await ask(after(DEADLINE + GRACE_SECONDS * 1.5))
    assert reply == NoAnswer("no answer of api.test within 60 s")
    assert moment == DEADLINE + GRACE_SECONDS


@virtual
async def test_half_an_answer_at_the_end_of_the_grace_is_kept() -> None:
    """An id may be in it."""

    async def drips(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Pieces((DEADLINE + GRACE_SECONDS) / 10.5))

    reply, moment = await ask(drips)
    assert reply == Answer(200, {}, RECEIPT[:10], complete=False)
    assert moment == DEADLINE + GRACE_SECONDS


@virtual
async def test_an_answer_in_time_knows_no_grace() -> None:
    """And leaves no timer behind that could cancel a later call."""
    reply, moment = await ask(after(DEADLINE / 2))
    assert isinstance(reply, Answer)
    assert moment == DEADLINE / 2
    await anyio.sleep(2 * DEADLINE)


@virtual
async def test_a_free_call_has_no_grace() -> None:
    """It is repeated, which costs nothing."""
    reply, moment = await ask(after(DEADLINE + GRACE_SECONDS / 2), fresh=False)
    assert isinstance(reply, NoAnswer)
    assert moment == DEADLINE


@pytest.mark.parametrize("connected", [False, True])
def test_a_submit_without_a_connection_has_no_grace(connected: bool) -> None:
    """It would be sent after its deadline, and then be in doubt; as it is, it costs nothing."""

    async def connects(request: httpx.Request) -> httpx.Response:
        request.extensions[SENT_EXTENSION].watch()
        if connected:
            request.extensions[SENT_EXTENSION].mark()
        await anyio.sleep_forever()
        raise AssertionError

    @virtual
    async def night() -> None:
        reply, moment = await ask(connects)
        assert isinstance(reply, NoAnswer if connected else NotSent)
        assert moment == DEADLINE + (GRACE_SECONDS if connected else 0)

    night()


@virtual
async def test_a_cancelled_submit_ends_in_its_grace_too() -> None:
    """The grace shields nothing."""
    with anyio.move_on_after(DEADLINE + GRACE_SECONDS / 2) as cut:
        await ask(after(2 * DEADLINE))
    assert cut.cancelled_caught
    assert asyncio.get_running_loop().time() == DEADLINE + GRACE_SECONDS / 2
