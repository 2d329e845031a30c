"""What was seen before."""

from jobs.compact_set import CompactSet


def test_each_thing_is_new_once_however_many_there_are() -> None:
    """As a set does; also across its growth, and for what hashes to nothing."""
    seen, told = CompactSet(), set()
    for number in [*range(5000), *range(2500, 7500)]:
        thing = (str(number), number)
        assert seen.add(thing) is (thing not in told)
        told.add(thing)
    assert [CompactSet().add(0), seen.add(0), seen.add(0)] == [True, True, False]
