"""The counts of jobs and attempts that are kept with each row that is written: what is counted, and how.

Triggers add a row to its group and take it from there, in the transaction that writes it: SQLite's
(`jobs/store/sqlite/keeping.py`) and PostgreSQL's (`jobs/store/postgres/keeping.py`), by the same statements.
So nothing that changes a row can forget them, a bulk change of a million rows included.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeptTally:
    """A table of counts: what is alike, by column, and what is added up, each of a row called `{row}`."""

    table: str
    of: str
    alike: Mapping[str, str]
    sums: Mapping[str, str]
    counted: str
    """Which rows are counted."""
    told_by: tuple[str, ...]
    """The columns of a row that say where it counts."""

    def alike_of(self, row: str) -> list[str]:
        """What is alike, of a row that is called so."""
        return [value.format(row=row) for value in self.alike.values()]

    def sums_of(self, row: str, sign: str = "") -> list[str]:
        """What a row adds up to; with the sign `-`, what it takes away."""
        return [f"{sign}({value})".format(row=row) for value in self.sums.values()]


_IMAGES = (
    "CASE WHEN {row}.state = 'succeeded' THEN (SELECT count(*) FROM artifact JOIN attempt"
    " ON attempt.id = artifact.attempt_id"
    " WHERE attempt.job_id = {row}.id AND attempt.number = {row}.attempts) ELSE 0 END"
)
JOBS = KeptTally(
    "jobtally",
    "job",
    {
        "batch_id": "{row}.batch_id",
        "model": "{row}.model",
        "state": "{row}.state",
        "agreed": "{row}.agreed",
        "linked": "{row}.same_as IS NOT NULL",
        "held": "{row}.held IS NOT NULL",
        "warned": "json_array_length({row}.warnings) > 0",
        "error_kind": "coalesce({row}.error_kind, '')",
    },
    {"jobs": "1", "pictures": "{row}.pictures", "images": _IMAGES},
    "{row}.current",
    (
        *("batch_id", "model", "state", "agreed", "same_as", "held", "warnings", "error_kind", "pictures"),
        *("attempts", "current"),
    ),
)
ATTEMPTS = KeptTally(
    "attempttally",
    "attempt",
    {
        "batch_id": "(SELECT batch_id FROM job WHERE id = {row}.job_id)",
        "outcome": "{row}.outcome",
        "priced": "{row}.cost_usd IS NOT NULL",
    },
    {
        "attempts": "1",
        "cost_usd": "coalesce({row}.cost_usd, 0)",
        "estimate_usd": "coalesce({row}.estimate_usd, 0)",
        "unpriced": "CASE WHEN {row}.cost_usd IS NULL AND {row}.estimate_usd IS NULL THEN 1 ELSE 0 END",
    },
    "true",
    ("job_id", "outcome", "cost_usd", "estimate_usd"),
)


def counted(tally: KeptTally) -> str:
    """The query that counts a batch's rows again (`:batch_id`), a row for each row of the table."""
    names = {**tally.alike, **{name: f"sum({value})" for name, value in tally.sums.items()}}
    columns = ", ".join(f"{value} AS {name}" for name, value in names.items())
    of_batch = "job.batch_id = :batch_id"
    rows = tally.of if tally.of == "job" else f"{tally.of} JOIN job ON job.id = {tally.of}.job_id"
    groups = ", ".join(str(number) for number in range(1, len(tally.alike) + 1))
    text = f"SELECT {columns} FROM {rows} WHERE {of_batch} AND {tally.counted} GROUP BY {groups}"  # noqa: S608
    return text.format(row=tally.of)


def added(tally: KeptTally, row: str, sign: str = "") -> str:
    """The statement that adds a row to its group; with the sign `-`, the one that takes it from there."""
    sums = {name: f"{sign}({value})" for name, value in tally.sums.items()}
    return _insert(tally, {**tally.alike, **sums}, f"WHERE {tally.counted}").format(row=row)


def image_added(row: str, sign: str = "") -> str:
    """The same for an image that a job has, which has succeeded, from its newest attempt."""
    sums = {"jobs": "0", "pictures": "0", "images": f"{sign}1"}
    of_its_job = (
        "FROM attempt JOIN job ON job.id = attempt.job_id AND job.attempts = attempt.number"
        f" WHERE attempt.id = {row}.attempt_id AND job.state = 'succeeded' AND {JOBS.counted}"
    )
    return _insert(JOBS, {**JOBS.alike, **sums}, of_its_job).format(row="job")


def _insert(tally: KeptTally, values: Mapping[str, str], source: str) -> str:
    return f"INSERT INTO {tally.table} ({', '.join(values)}) SELECT {', '.join(values.values())} {source}"
