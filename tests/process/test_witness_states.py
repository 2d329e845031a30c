"""Whatever has happened to a night's files, and the sheet is run again: nothing is paid twice.

A sample of the table; `python -m tests.process.witness_states` goes through all of it, `--slow` here as well.
"""

import pytest

from tests.process.witness_states import (
    ELSEWHERE,
    FILES,
    Moment,
    Place,
    State,
    Trouble,
    find_all,
    impossible_here,
    left_out,
    states,
    table,
)
from tests.support.witness import SECOND_WITNESS

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]

second_witness = pytest.mark.skipif(
    not SECOND_WITNESS, reason="the journal and the held rows are not in this tree yet"
)

SAMPLES = 2
_EVERY = 53
"""Each so many-th state is in a sample, and each sample begins a little later."""


async def _nothing_is_paid_twice(chosen: list[State]) -> None:
    possible = [state for state in chosen if impossible_here(state) is None]
    if not possible:
        pytest.skip(str(impossible_here(chosen[0])))
    wrong = [finding.story for finding in await find_all(possible) if not finding.is_right]
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("moment", Moment)
async def test_a_night_that_nothing_happened_to(moment: Moment) -> None:
    """It is finished: each row is accepted once. Nobody refuses but a second runner that comes too soon."""
    (finding,) = await find_all([State(moment, ())])
    assert (finding.paid_twice, finding.unsent) == (0, 0), finding.story
    codes = [ended.code for ended in finding.ended]
    if moment is Moment.MID_RUN:
        assert codes.pop(1) in (73, 0, 1), finding.story
    assert set(codes) <= {0, 1}, finding.story  # 1: a kill may leave some in doubt


@second_witness
@pytest.mark.parametrize("sample", range(SAMPLES))
async def test_a_sample_of_states(sample: int) -> None:
    """Spread over the table: singles and pairs at rest, singles in mid-run."""
    await _nothing_is_paid_twice(table()[sample * _EVERY // SAMPLES :: _EVERY])


@second_witness
@pytest.mark.parametrize("moment", Moment)
async def test_the_database_and_the_whole_set(moment: Moment) -> None:
    """What people do to them, one at a time."""
    chosen = [state for state in states(moment, 1) if state.troubles[0][0] in (Place.DATABASE, Place.SET)]
    await _nothing_is_paid_twice([state for state in chosen if left_out(state) is None])


@second_witness
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("quarter", range(4))
async def test_every_state(quarter: int) -> None:
    """The whole table."""
    await _nothing_is_paid_twice(table()[quarter::4])


def test_which_states_there_are() -> None:
    """All that can be made of places and troubles, but for what a rule names."""
    singles, pairs = list(states(Moment.AT_REST, 1)), list(states(Moment.AT_REST, 2))
    assert len(singles) == 7 * 7
    assert len(pairs) == 7 * 6 // 2 * 7 * 7
    reasons = {left_out(state) for state in pairs}
    assert len(reasons - {None}) == 2
    assert all(left_out(state) is None for state in singles), "one witness alone is never the last one"
    in_mid_run = [state for state in states(Moment.MID_RUN, 1) if left_out(state) is not None]
    assert [state.troubles[0] for state in in_mid_run] == [(place, Trouble.FULL) for place in FILES]


@pytest.mark.parametrize(
    ("troubles", "possible"),
    [
        (((Place.DATABASE, Trouble.MISSING), (Place.JOURNAL, Trouble.OLDER)), True),
        (((Place.DATABASE, Trouble.OLDER), (Place.STATE, Trouble.MISSING)), True),
        (((Place.STATE, Trouble.OLDER), (Place.SET, Trouble.MISSING)), False),
        (((Place.STATE, Trouble.MISSING), (Place.SET, Trouble.COPIED)), True),
        (((Place.DATABASE, Trouble.COPIED), (Place.STATE, Trouble.MISSING)), False),
        (((Place.JOURNAL, Trouble.COPIED), (Place.STATE, Trouble.MISSING)), True),
    ],
)
def test_a_witness_has_to_be_left(troubles: tuple[tuple[Place, Trouble], ...], possible: bool) -> None:
    """At every seat: what stays behind is no witness elsewhere."""
    assert (left_out(State(Moment.AT_REST, troubles)) is None) is possible


@pytest.mark.parametrize("trouble", sorted(ELSEWHERE))
def test_where_commands_run(trouble: Trouble) -> None:
    """In a second folder where it has something of the set; the user's state folder is one for both."""
    beside = State(Moment.AT_REST, ((Place.WAL, trouble),))
    assert (beside.has_a_second_folder, beside.has_a_second_seat) == (True, True)
    state = State(Moment.AT_REST, ((Place.STATE, trouble),))
    assert (state.has_a_second_folder, state.has_a_second_seat) == (False, True)
    assert state.is_common is (trouble is Trouble.MOUNTED)
