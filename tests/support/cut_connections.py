"""A way to a server that is cut at a commit: before it comes there, or before its answer comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

Cut = Literal["before", "after"]


@dataclass
class CutWay:
    """Connections to a server on this machine."""

    to: int
    port: int = 0
    cut: Cut | None = None
    """What happens at the next commit, once."""

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry bytes both ways, until either end closes."""
        there, back = await asyncio.open_connection("127.0.0.1", self.to)
        answer: asyncio.Future[bytes] | None = None

        async def carry_back() -> None:
            while data := await there.read(65536):
                if answer is not None:
                    answer.set_result(data)
                    return
                writer.write(data)

        returning = asyncio.create_task(carry_back())
        try:
            while data := await reader.read(65536):
                how = self.cut if b"COMMIT\0" in data else None
                if how is not None:
                    self.cut = None
                if how == "after":
                    answer = asyncio.get_running_loop().create_future()
                if how != "before":
                    back.write(data)
                if answer is not None:
                    await answer
                if how is not None:
                    return
        except ConnectionError:
            return
        finally:
            returning.cancel()
            for one in (writer, back):
                one.transport.abort()


@asynccontextmanager
async def way_to(port: int) -> AsyncIterator[CutWay]:
    """A way to the server at a port, that can be cut."""
    way = CutWay(port)
    server = await asyncio.start_server(way.meet, "127.0.0.1", 0)
    way.port = server.sockets[0].getsockname()[1]
    try:
        yield way
    finally:
        server.close()
