"""The columns of a data set: a row an image, every row with all of them, each of one type.

What a job cost and the API's ids are not among them: they are in the manifest, and a data set is often
published.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from jobs.catalog.registry import find
from jobs.catalog.spec import InputKind
from jobs.manifests.record import moment
from jobs.review.decisions import DecisionView, decision_on
from jobs.views import ArtifactView, JobView

if TYPE_CHECKING:
    from jobs.store.store import Store


class ColumnKind(Enum):
    """The types of values."""

    TEXT = auto()
    NUMBER = auto()
    TEXTS = auto()
    MOMENT = auto()


@dataclass(frozen=True, slots=True)
class ImageRow:
    """A job, one of its images, and the job's inputs as they were sent."""

    job: JobView
    image: ArtifactView
    inputs: Mapping[str, Any]

    @property
    def decision(self) -> DecisionView | None:
        """What a person decided about this image."""
        return decision_on(self.job.decisions, self.image.number, self.image.sha256)

    def common(self, word: str) -> Any:
        """The input that the common vocabulary calls so."""
        spec = find(self.job.model)
        return None if spec is None else self.inputs.get(spec.vocabulary.get(word, ""))


@dataclass(frozen=True, slots=True)
class DataColumn:
    """A column: its name, its type, and how a row's value is found."""

    name: str
    kind: ColumnKind
    value: Callable[[ImageRow], Any]

    def of(self, row: ImageRow) -> Any:
        """The row's value; None for one that the type does not take."""
        found = self.value(row)
        match self.kind:
            case ColumnKind.TEXT:
                return None if found is None else plain_text(found)
            case ColumnKind.NUMBER:
                return found if isinstance(found, int) and not isinstance(found, bool) else None
            case ColumnKind.TEXTS:
                return [plain_text(one) for one in found] if isinstance(found, list | tuple) else []
            case ColumnKind.MOMENT:
                return found


_FIXED = (
    DataColumn("batch", ColumnKind.TEXT, lambda row: row.job.batch),
    DataColumn("key", ColumnKind.TEXT, lambda row: row.job.key),
    DataColumn("row", ColumnKind.NUMBER, lambda row: row.job.row),
    DataColumn("number", ColumnKind.NUMBER, lambda row: row.image.number),
    DataColumn("model", ColumnKind.TEXT, lambda row: row.job.model),
    DataColumn("prompt", ColumnKind.TEXT, lambda row: row.common("prompt")),
    DataColumn("seed", ColumnKind.NUMBER, lambda row: row.common("seed")),
    DataColumn("width", ColumnKind.NUMBER, lambda row: row.image.width),
    DataColumn("height", ColumnKind.NUMBER, lambda row: row.image.height),
    DataColumn("bytes", ColumnKind.NUMBER, lambda row: row.image.bytes),
    DataColumn("content_type", ColumnKind.TEXT, lambda row: row.image.content_type),
    DataColumn("sha256", ColumnKind.TEXT, lambda row: row.image.sha256),
    DataColumn("verdict", ColumnKind.TEXT, lambda row: row.decision and row.decision.verdict),
    DataColumn("stars", ColumnKind.NUMBER, lambda row: row.decision.stars if row.decision else 0),
    DataColumn("note", ColumnKind.TEXT, lambda row: row.decision and row.decision.note),
    DataColumn("finished_at", ColumnKind.MOMENT, lambda row: row.job.finished_at),
    DataColumn("warnings", ColumnKind.TEXTS, lambda row: row.job.warnings),
)
_KINDS = {
    InputKind.TEXT: ColumnKind.TEXT,
    InputKind.WHOLE_NUMBER: ColumnKind.NUMBER,
    InputKind.LIST: ColumnKind.TEXTS,
}


async def columns_of(store: "Store", batch_id: int) -> tuple[DataColumn, ...]:
    """The columns of a batch: those of every data set, its models' other inputs, the user's own."""
    found = await store.jobs.columns(batch_id)
    kinds: dict[str, ColumnKind] = {}
    for model in found.models:
        spec = find(model)
        if spec is None:  # a model that has left the catalogue
            named = dict.fromkeys(await store.jobs.input_names(batch_id, model), ColumnKind.TEXT)
        else:
            common = {spec.vocabulary.get("prompt"), spec.vocabulary.get("seed")}
            named = {name: _KINDS[field.kind] for name, field in spec.fields.items() if name not in common}
        for name, kind in named.items():
            kinds[name] = kind if kinds.get(name, kind) is kind else ColumnKind.TEXT
    inputs = [DataColumn(f"inputs.{name}", kind, _input(name)) for name, kind in kinds.items()]
    own = [DataColumn(f"columns.{name}", ColumnKind.TEXT, _own(name)) for name in found.own]
    return (*_FIXED, *inputs, *own)


def _input(name: str) -> Callable[[ImageRow], Any]:
    return lambda row: row.inputs.get(name)


def _own(name: str) -> Callable[[ImageRow], Any]:
    return lambda row: row.job.columns.get(name)


def values_of(columns: tuple[DataColumn, ...], row: ImageRow) -> dict[str, Any]:
    """A row by the names of its columns."""
    return {column.name: column.of(row) for column in columns}


def as_json(values: Mapping[str, Any]) -> bytes:
    """A row as one line of JSON."""
    told = {name: moment(value) if hasattr(value, "astimezone") else value for name, value in values.items()}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def plain_text(value: Any) -> str:
    """A value as text that every reader takes: lone halves of surrogate pairs are written out."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()
