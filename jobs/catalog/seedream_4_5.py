"""Seedream 4.5: four models, one size vocabulary. Words, choices, defaults and limits are those of the pages.

Sources: https://www.runcomfy.com/models/bytedance/seedream-4-5/<model>/api. What they contradict:

- edit: the published schema requires `image_urls` while the property is called `images`, and the page's own
  example sends neither. Bodies that work in practice send `images`, so `images` is what we require.
- text-to-image: the page's default prompt lost two dashes to a wrong encoding; an older copy has them.
- edit-sequential: the default prompt names no count, though the field's description demands one. Of
  two copies of the page only one says that the price follows the count: the dearer reading is published here.
"""

from typing import Annotated, Literal

from pydantic import Field

from jobs.catalog.advice import (
    characters_advised,
    count_agrees,
    jpeg_or_png,
    references_and_images,
    seed_in_range,
    words_advised,
)
from jobs.catalog.fields import (
    PAGE_COUNT,
    SHAPES,
    Count,
    Inputs,
    References,
    Sendable,
    Whole64,
)
from jobs.catalog.spec import ModelSpec

Resolution = Literal[
    "2K",
    "4K",
    "2048x2048 (1:1)",
    "2304x1728 (4:3)",
    "1728x2304 (3:4)",
    "2560x1440 (16:9)",
    "1440x2560 (9:16)",
    "2496x1664 (3:2)",
    "1664x2496 (2:3)",
    "3024x1296 (21:9)",
    "4096x4096 (1:1)",
]
"""The shape in brackets is part of the value. 2K and 4K leave the shape to the words of the prompt."""

_RESOLUTION = Field(
    title="Resolution",
    description="For 2K and 4K options, it will let the model determine the width and height. you should "
    "describe its aspect ratio, shape, or purpose in the prompt using natural language. For other options, "
    "you can choose the width and height you want.",
)
_CHARACTERS = (
    "The prompt should be less than 600 characters. Your prompt needs to contain the number of images you "
    "want to generate. Example: 'Generate 3 images of a beautiful sunset over a calm ocean.'"
)
_WORDS = (
    "The recommended length is no more than 600 English words. if the prompt is too long, the information "
    "may become scattered. The model might ignore details and only concentrate on the main points, "
    "resulting in a image with missing elements."
)
_STREET_PHOTO = (
    "A hyper-realistic street photograph of an old man walking alone on a quiet city street, captured with "
    "a Sony Alpha a9 II and Sony FE 200\u2013600mm f/5.6\u20136.3 G OSS lens. Shot in natural light, with "
    "ultra-detailed cinematic composition and muted, desaturated tones. The atmosphere is melancholic and "
    "introspective, evoking solitude and the passage of time. Styled like cinematic 35mm film photography, "
    "with soft depth of field, realistic textures, and emotional lighting that feels raw and human."
)
_EXAMPLE_REFERENCES = [
    f"https://playgrounds-storage-public.runcomfy.net/tools/7250/media-files/input-1-{number}.png"
    for number in (1, 2, 3)
]


class EditSequentialInputs(Inputs):
    """A series of pictures from one to fourteen references."""

    images: Annotated[References, Field(json_schema_extra={**SHAPES, "default": [*_EXAMPLE_REFERENCES]})]
    prompt: Annotated[
        str,
        Field(
            title="Prompt",
            description=_CHARACTERS,
            json_schema_extra={"default": "The man is riding a motor cycle on the road"},
        ),
        Sendable,
    ]
    resolution: Annotated[Resolution, _RESOLUTION] = "2048x2048 (1:1)"
    seed: Annotated[int, Whole64, Field(title="Seed", description="")] = 54519385
    sequential_image_generation_options: Annotated[
        Count,
        Field(
            title="Maximum Number of Generated Images",
            description="Sets the maximum number of images to generate. The actual number of images that can "
            "be generated also depends on the number of reference images provided. The final price will be "
            "calculated based on this value.",
            json_schema_extra={"default": PAGE_COUNT},
        ),
    ]


class TextToImageInputs(Inputs):
    """One picture from words alone."""

    prompt: Annotated[
        str,
        Field(title="Prompt", description=_WORDS, json_schema_extra={"default": _STREET_PHOTO}),
        Sendable,
    ]
    resolution: Annotated[Resolution, _RESOLUTION] = "2048x2048 (1:1)"


class SequentialInputs(Inputs):
    """A series of pictures from words alone."""

    prompt: Annotated[
        str,
        Field(
            title="Prompt",
            description=_CHARACTERS,
            json_schema_extra={"default": "Generate 3 images of a beautiful sunset over a calm ocean."},
        ),
        Sendable,
    ]
    sequential_image_generation_options: Annotated[
        Count,
        Field(
            title="Maximum Number of Output Images",
            description="This value must align with the number of images specified in the prompt above. ",
            json_schema_extra={"default": PAGE_COUNT},
        ),
    ]
    resolution: Annotated[Resolution, _RESOLUTION] = "2048x2048 (1:1)"
    seed: Annotated[int, Whole64, Field(title="Seed", description="")] = 41722289


class EditInputs(Inputs):
    """One picture from one to fourteen references. The page names no default prompt and no seed."""

    images: Annotated[References, Field(json_schema_extra=SHAPES)]
    prompt: Annotated[str, Field(title="Prompt", description=_WORDS), Sendable]
    resolution: Annotated[Resolution, _RESOLUTION] = "2048x2048 (1:1)"


_PAGE = "https://www.runcomfy.com/models/bytedance/seedream-4-5"
_ONE_PICTURE = {"prompt": "prompt", "size": "resolution"}
_SERIES = {**_ONE_PICTURE, "count": "sequential_image_generation_options", "seed": "seed"}

MODELS = (
    ModelSpec(
        model_id="bytedance/seedream-4-5/edit-sequential",
        title="Seedream 4.5 Edit sequential",
        summary="a coherent series of up to 15 pictures from 1 to 14 references",
        source=f"{_PAGE}/edit-sequential/api",
        inputs=EditSequentialInputs,
        vocabulary={**_SERIES, "images": "images"},
        rules=(
            count_agrees("prompt"),
            references_and_images,
            characters_advised("prompt"),
            jpeg_or_png,
            seed_in_range,
        ),
    ),
    ModelSpec(
        model_id="bytedance/seedream-4-5/text-to-image",
        title="Seedream 4.5 Text to image",
        summary="one picture from words",
        source=f"{_PAGE}/text-to-image/api",
        inputs=TextToImageInputs,
        vocabulary=_ONE_PICTURE,
        rules=(words_advised("prompt"),),
    ),
    ModelSpec(
        model_id="bytedance/seedream-4-5/sequential",
        title="Seedream 4.5 Sequential",
        summary="a consistent series of up to 15 pictures from words",
        source=f"{_PAGE}/sequential/api",
        inputs=SequentialInputs,
        vocabulary=_SERIES,
        rules=(count_agrees("prompt"), characters_advised("prompt"), seed_in_range),
    ),
    ModelSpec(
        model_id="bytedance/seedream-4-5/edit",
        title="Seedream 4.5 Edit",
        summary="one picture from 1 to 14 references",
        source=f"{_PAGE}/edit/api",
        inputs=EditInputs,
        vocabulary={**_ONE_PICTURE, "images": "images"},
        rules=(words_advised("prompt"), jpeg_or_png),
    ),
)
