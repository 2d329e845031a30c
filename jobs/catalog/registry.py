"""Every model that can be run. Another family is one module and one word in `_FAMILIES`."""

from collections.abc import Mapping
from types import MappingProxyType

from jobs.catalog import seedream_4_0, seedream_4_5
from jobs.catalog.spec import ModelSpec
from jobs.suggestions import closest

_FAMILIES = (seedream_4_5, seedream_4_0)

MODELS: Mapping[str, ModelSpec] = MappingProxyType(
    {spec.model_id: spec for family in _FAMILIES for spec in family.MODELS}
)
"""By the API's own model id."""


def find(model_id: str) -> ModelSpec | None:
    """The model of exactly this id: a model that costs money is never guessed."""
    return MODELS.get(model_id)


def family(name: str) -> tuple[str, ...]:
    """The models of a family that is named without one of them, as in `seedream 4.5`."""
    wanted = _spelling(name)
    return tuple(known for known in MODELS if wanted and f"/{wanted}/" in f"/{known}")


def _spelling(name: str) -> str:
    return name.strip().strip("/").lower().replace(".", "-").replace("_", "-").replace(" ", "-")


def suggest(model_id: str) -> str | None:
    """The id that was probably meant, or None. `seedream-4.5/edit` suggests `bytedance/seedream-4-5/edit`."""
    wanted = _spelling(model_id)
    ending = [known for known in MODELS if known.endswith("/" + wanted)]
    return ending[0] if len(ending) == 1 else closest(wanted, MODELS)
