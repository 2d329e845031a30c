"""`again`: text that makes a row another one, and is never sent."""

import pytest

from jobs.sheets.rows.column_names import probable_name
from tests.unit.jobs.sheets.conftest import Write
from tests.unit.jobs.sheets.test_planning import SERIES, TEXT, places, planned


def test_it_is_in_the_key_and_never_sent(write: Write) -> None:
    """It stands in the manifest among the columns, and a column that is empty is none."""
    path = write("a.csv", f"prompt,model,Again\na pier,{TEXT},2026-11-29\na pier,{TEXT},\na pier,{TEXT},x\n")
    today, without, other = planned(path)
    (before,) = planned(write("b.csv", f"prompt,model\na pier,{TEXT}\n"))
    assert [job.inputs for job in (today, without, other)] == [{"prompt": "a pier"}] * 3
    assert (today.columns, without.columns) == ({"again": "2026-11-29"}, {})
    assert (without.key, without.fingerprint) == (before.key, before.fingerprint)
    assert len({today.fingerprint, without.fingerprint, other.fingerprint}) == 3
    assert today.key == today.fingerprint[:16]


@pytest.mark.parametrize(
    "document",
    [
        f"defaults: {{model: {TEXT}, again: one}}\njobs:\n- prompt: a pier\n",
        f"model_defaults: {{{TEXT}: {{again: one}}}}\njobs:\n- {{prompt: a pier, model: {TEXT}}}\n",
        f"model: {TEXT}\njobs:\n- {{prompt: a pier, again: '{{day}}', day: one}}\n",
        f"model: {TEXT}\njobs:\n- {{prompt: a pier, matrix: {{again: [one]}}}}\n",
        f"defaults: {{model: {TEXT}, again: zero}}\njobs:\n- {{prompt: a pier, again: ' one '}}\n",
    ],
)
def test_wherever_it_is_said(write: Write, document: str) -> None:
    """For all jobs, for a model, in a family, from another column; what is nearest counts."""
    (job,) = planned(write("a.csv", f"prompt,model,again\na pier,{TEXT},one\n"))
    (said,) = planned(write("a.yaml", document))
    assert (said.fingerprint, said.columns["again"]) == (job.fingerprint, "one")
    assert "again" not in said.inputs


def test_a_list_is_a_problem(write: Write) -> None:
    """One text makes one row another one."""
    path = write("a.yaml", f"jobs:\n- {{prompt: a pier, model: {TEXT}, again: [a, b]}}\n")
    assert [(row, column) for row, column, _ in places(path)] == [(2, "again")]


def test_a_slip_is_told_and_an_ordinary_word_is_not() -> None:
    """Whoever writes `agian` must not have it taken for a note."""
    assert probable_name("agaain") == probable_name("agin") == probable_name("againe") == "again"
    assert probable_name("gain") is probable_name("grain") is probable_name("against") is None


def test_a_seed_is_drawn_for_it_all_the_same(write: Write) -> None:
    """Another picture is what it is for."""
    path = write("a.csv", f"prompt,model,count,again\nmany,{SERIES},2,a\nmany,{SERIES},2,b\n")
    one, other = planned(path)
    assert one.inputs["seed"] != other.inputs["seed"]
