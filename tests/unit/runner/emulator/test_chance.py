"""Repeatable chance."""

from runner.emulator.chance import seeded, share


def test_the_same_parts_give_the_same_numbers() -> None:
    """And other parts others, half characters included."""
    assert seeded(1, "a", None).random() == seeded(1, "a", None).random()
    assert seeded(1, "a").random() != seeded("1", "a").random()
    assert 0.0 <= share("\ud800") < 1.0
