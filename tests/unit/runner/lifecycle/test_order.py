"""What an order knows by itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.order import order_of
from tests.support.virtual_time import virtual
from tests.support.world import world


@pytest.mark.parametrize(
    ("name", "emulator", "command"),
    [
        ("night", False, "nightsheet resume night"),
        ("my night", True, "nightsheet resume 'my night' --emulator"),
    ],
)
def test_the_command_that_clears_a_pause_can_be_pasted(
    tmp_path: Path, name: str, emulator: bool, command: str
) -> None:
    """For the same API as this run's."""

    @virtual
    async def test() -> None:
        async with world(tmp_path, "a") as w:
            order, _watching = order_of(w, tmp_path, emulator=emulator)
            assert replace(order, batch=replace(order.batch, name=name)).resume_command == command

    test()
