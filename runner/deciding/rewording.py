"""Other words for a picture that is made once more: typed before the sheet of re-rolls is written.

They are kept until a sheet has them. What a sheet cannot say, or a model does not take, is refused at once:
the row is read as a run will read it.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from jobs.catalog.input_field import InputKind
from jobs.catalog.registry import find
from jobs.catalog.spec import ModelSpec
from jobs.errors import UsageProblem
from jobs.review.rerolls import NEW_SEED, Rewording
from jobs.workload import Workload
from runner.deciding.reroll_rows import check_rows, row_of
from runner.deciding.rerolls import images_of, places_of, why_not_now

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView

_APART = ("prompt", "seed")
"""Columns that a person is asked about apart from the others."""


@dataclass(frozen=True, slots=True)
class RewordField:
    """A cell that may be typed anew."""

    column: str
    value: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reworded:
    """A job whose words may be changed, and what each row of it would cost."""

    job: "JobView"
    model: ModelSpec
    row: dict[str, str]
    """What it says now."""
    typed: Rewording | None

    @property
    def fields(self) -> list[RewordField]:
        """The cells beside prompt and seed, as the model's page has them."""
        words = {name: word for word, name in self.model.vocabulary.items()}
        found = []
        for name, field in self.model.fields.items():
            column = words.get(name, name)
            if column not in _APART and field.kind is not InputKind.LIST:
                choices = tuple(map(str, field.choices))
                found.append(RewordField(column, self.row.get(column, ""), choices))
        return found

    def images(self, words: Rewording) -> int:
        """The largest number of images that one row asks for."""
        return images_of(self.job, self.model, words)

    def price(self, batch: "BatchView", words: Rewording) -> tuple[Decimal | None, Decimal | None]:
        """USD low and high for what is wished."""
        work = Workload()
        work.add(self.job.model, words.variants * self.images(words), words.variants)
        return work.price_range(batch.prices)


async def reworded(store: "Store", batch: "BatchView", key: str, number: int) -> Reworded:
    """What can be changed about a picture of a job.

    Raises:
        UsageProblem: there is no such picture, its model is not known, or it is still to come.
    """
    job = await store.jobs.by_key(batch.id, key)
    numbers = {0} if job is None or not job.images else {image.number for image in job.images}
    if job is None or number not in numbers:
        raise UsageProblem(f"The batch {batch.name!r} has no picture {number} of a job {key!r}.")
    model = find(job.model)
    why = why_not_now(job)
    if model is None or why is not None:
        raise UsageProblem(f"{key} cannot be made once more: {why or 'its model is not in the catalogue'}.")
    row = row_of(
        job, model, f"{job.key}-r1", Rewording(None, "same"), batch.name, await places_of(store, job)
    )
    typed = await store.rerolls.words([job.id])
    return Reworded(job, model, row, typed.get((job.id, number)))


async def reword(
    store: "Store", batch: "BatchView", key: str, number: int, words: Rewording
) -> tuple[Reworded, list[str]]:
    """Keep other words for a picture, once they were read as a run will read them. It marks and pays nothing.

    Returns what the model's page advises against as well.

    Raises:
        UsageProblem: as `reworded`; or a sheet cannot say them, or the model does not take them.
    """
    found = await reworded(store, batch, key, number)
    known = {field.column: field.value for field in found.fields}
    if unknown := [name for name, _ in words.cells if name not in known]:
        raise UsageProblem(f"{found.job.model} has no {unknown[0]!r}. Nothing was kept.")
    changed = tuple((name, text) for name, text in words.cells if text != known[name])
    words = replace(words, cells=changed, seed=words.seed if found.model.has_seed else NEW_SEED)
    if words.prompt is None:
        words = replace(words, prompt=found.row.get("prompt", ""))
    places = await places_of(store, found.job)
    row = row_of(found.job, found.model, f"{key}-r1", words, batch.name, places)
    folders = tuple(dict.fromkeys(Path(place).parent for place in places.values()))
    advice = await to_thread.run_sync(check_rows, "rerolls.csv", [row], folders)
    await store.rerolls.reword(found.job.id, number, words)
    return replace(found, typed=words), advice


async def forget_words(store: "Store", batch: "BatchView", key: str, number: int) -> None:
    """Take what was typed away: the words are the same again.

    Raises:
        UsageProblem: there is no such job.
    """
    job = await store.jobs.by_key(batch.id, key)
    if job is None:
        raise UsageProblem(f"The batch {batch.name!r} has no job {key!r}.")
    await store.rerolls.reword(job.id, number, None)
