"""The catalog endpoints: GET /v1/models and /v1/models/{model_id}."""

from jobs.catalog.registry import MODELS
from jobs.catalog.spec import ModelSpec
from runner.emulator.service.answers import Body
from runner.emulator.settings import EmulatorSettings

_KIND = "model"
CATEGORIES = ("text-to-image", "image-to-image")
"""Of the models here; the API has more of the kind, such as text-to-video."""


def model_pages(
    settings: EmulatorSettings,
    search: str,
    category: str,
    kind: str,
    limit: int,
    offset: int,
    include_schema: bool,
) -> Body:
    """One page of the catalog; `limit` is kept within 1..500, `offset` at zero or above."""
    limit, offset = min(max(limit, 1), 500), max(offset, 0)
    wanted = search.casefold()
    found = [
        spec
        for spec in MODELS.values()
        if wanted in f"{spec.model_id} {spec.title} {spec.summary}".casefold()
        and category in ("", _category(spec))
        and kind in ("", _KIND)
    ]
    return {
        "models": [model_page(settings, spec, include_schema) for spec in found[offset : offset + limit]],
        "total": len(found),
        "limit": limit,
        "offset": offset,
    }


def model_page(settings: EmulatorSettings, spec: ModelSpec, include_schema: bool) -> Body:
    """One model of the catalog, priced by the settings."""
    page: Body = {
        "model_id": spec.model_id,
        "display_name": spec.title,
        "description": spec.summary,
        "categories": [_category(spec)],
        "kind": _KIND,
        "inputs": list(spec.fields),
        "required_inputs": [name for name, field in spec.fields.items() if field.required],
        "base_price_usd": float(settings.price(spec.model_id)),
        "price_unit": settings.price_unit,
        "pricing_note": f"The emulator's price per {settings.price_unit}; nothing is charged.",
        "model_url": spec.source,
    }
    if include_schema:
        page["input_schema"] = spec.input_schema()
    return page


def _category(spec: ModelSpec) -> str:
    """By whether it needs images to begin with."""
    field = spec.fields.get(spec.vocabulary.get("images", ""))
    return CATEGORIES[field is not None and field.required]
