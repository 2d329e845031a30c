"""What is asked before anything is paid."""

from runner.planning.consent import Ask, agreed_to_all


async def test_agreed_to_all() -> None:
    """The answer of --yes."""
    assert await agreed_to_all(Ask("night", 1, 1, 1, None, None)) is True
