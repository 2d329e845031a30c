"""Ids of a family's members."""

import pytest

from jobs.sheets.families.derived_ids import derived_id
from jobs.sheets.rows.keys import LONGEST_ID


def test_an_id_is_made_of_the_job_s_own_and_the_variables() -> None:
    """By their names, so that another order of the matrix is the same."""
    assert derived_id("zoo", {"style": "ink", "animal": "fox"}) == "zoo-fox-ink"
    assert derived_id("zoo", {"animal": "fox", "style": "ink"}) == "zoo-fox-ink"
    assert derived_id("zoo", {}) == "zoo"


def test_repetitions_begin_with_the_job_itself() -> None:
    """Asking for more later leaves what was paid as it is."""
    assert [derived_id("fox", {}, repetition=number) for number in (1, 2, 3)] == ["fox", "fox-2", "fox-3"]
    assert derived_id("fox", {"a": "b"}, seed="7") == "fox-b-seed7"


def test_a_value_that_is_no_name_is_told_by_words_and_a_hash() -> None:
    """Such that no two values are told alike."""
    made = derived_id("p", {"style": "Gouache on rough paper!"})
    assert made == "p-gouache_on_rough_paper.784120c1"
    values = ["a b", "a-b", "a_b", "A b", "a  b", "\u00fc", "\u00e4", "", "_x"]
    assert len({derived_id("p", {"v": value}) for value in values}) == len(values)
    assert derived_id("p", {"v": ("u", "v")}).startswith("p-u_v.")


def test_variables_that_the_id_names_are_put_there() -> None:
    """The others are added."""
    assert derived_id("{animal}/{x}", {"animal": "fox", "style": "ink"}) == "fox/{x}-ink"


@pytest.mark.parametrize("many", [3, 30])
def test_an_id_never_grows_too_long(many: int) -> None:
    """However many variables there are."""
    variables = {f"v{number}": "x" * 60 for number in range(many)}
    made = derived_id("p", variables, repetition=2)
    assert len(made) <= LONGEST_ID
    assert made != derived_id("p", variables)
    assert made != derived_id("p", {**variables, "v0": "y"}, repetition=2)
