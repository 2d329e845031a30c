"""The inputs that several models share, as annotated types: the page's words, limits and choices."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError, PydanticKnownError

from jobs.catalog.image_urls import MOST_REFERENCES, SHAPE_RULES, reference


class Inputs(BaseModel):
    """The base of every model's inputs: rejects unknown names and converts nothing."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _sendable(text: str) -> str:
    if not text or text.isspace():
        raise PydanticCustomError("blank", "The prompt is empty.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticKnownError("string_unicode") from None
    return text


def _fits_64_bits(number: int) -> int:
    # The pages name no limit; few JSON readers keep a larger whole number intact.
    if not -(2**63) <= number < 2**63:
        raise PydanticCustomError("seed", "This number is too large to be sent.")
    return number


def _whole(value: object) -> object:
    # For Python True and 3.0 equal 1 and 3; the API would get `true` and `3.0`.
    if type(value) is not int:
        raise PydanticKnownError("int_type")
    return value


def no_default(schema: dict[str, Any]) -> None:
    """Remove the default from a published schema: the page names none, and ours is never sent."""
    schema.pop("default", None)


Sendable = AfterValidator(_sendable)
Whole64 = AfterValidator(_fits_64_bits)

Count = Annotated[Literal[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], BeforeValidator(_whole)]
"""The largest number of images. Both sequential families publish the same fifteen values, default 3."""

PAGE_COUNT: Final = 3

Reference = Annotated[str, AfterValidator(reference), Field(json_schema_extra={"format": "image_uri"})]

References = Annotated[
    list[Reference],
    Field(
        title="Images",
        description="Upload 1~14 images, must be jpeg or png",
        min_length=1,
        max_length=MOST_REFERENCES,
    ),
]

SHAPES: dict[str, Any] = {"validations": SHAPE_RULES}
