"""ModelSpec: a model, with the inputs that its API page names and the rules for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from jobs.catalog.explain import explain
from jobs.catalog.findings import Checked, Finding, Rule
from jobs.catalog.input_field import InputField, InputKind

__all__ = ["Checked", "Finding", "InputField", "InputKind", "ModelSpec", "Rule"]


@dataclass(frozen=True, eq=False)
class ModelSpec:
    """A model: its id at the API, the page of its rules, its inputs, and rules beyond the page.

    `vocabulary` gives the API's field for each common word that the model has (`prompt`, `size`, `count`,
    `images`, `seed`, `optimize`). `rules` are for what the sources only advise, or disagree about: they
    warn.
    """

    model_id: str
    title: str
    summary: str
    source: str
    inputs: type[BaseModel]
    vocabulary: Mapping[str, str]
    rules: tuple[Rule, ...] = ()

    @property
    def has_seed(self) -> bool:
        """Whether a seed can be sent."""
        return "seed" in self.vocabulary

    @cached_property
    def fields(self) -> Mapping[str, InputField]:
        """Every input by its API name, in the page's order."""
        schema = self.input_schema()
        return {
            name: InputField(
                name=name,
                kind=InputKind(shape["type"]),
                required=name in schema["required"],
                choices=tuple(shape.get("enum", ())),
                default=shape.get("default"),
            )
            for name, shape in schema["properties"].items()
        }

    def check(self, values: Mapping[str, Any]) -> Checked:
        """Check values by API field name, as they would be sent: every problem at once, nothing converted."""
        try:
            self.inputs.model_validate(values)
        except ValidationError as error:
            return Checked(None, problems=tuple(explain(error, self.model_id, self.fields)))
        return Checked(dict(values), warnings=tuple(self.warnings(values)))

    def takes(self, values: Mapping[str, Any]) -> bool:
        """Whether a check of these values would find no problem; which one it would find, it tells."""
        try:
            self._validate(values)
        except ValidationError:
            return False
        return True

    @cached_property
    def _validate(self) -> Callable[[Mapping[str, Any]], object]:
        return self.inputs.__pydantic_validator__.validate_python

    def warnings(self, values: Mapping[str, Any]) -> list[Finding]:
        """What the rules say of values that passed the check."""
        found: list[Finding] = []
        for rule in self.rules:
            found += rule(values)
        return found

    def expected_images(self, inputs: Mapping[str, Any]) -> int:
        """The largest number of images these inputs ask for: the count, or 1 for a model of single images."""
        count = self.vocabulary.get("count")
        if count is None:
            return 1
        return cast("int", inputs.get(count, self.fields[count].default))

    def input_schema(self) -> dict[str, Any]:
        """The input schema in the form of the API's page, a fresh copy: the caller may change it."""
        schema = self.inputs.model_json_schema()
        return {
            "type": "object",
            "title": "Input",
            "required": schema.get("required", []),
            "properties": schema["properties"],
        }
