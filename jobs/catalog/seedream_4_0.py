"""Seedream 4.0: the prompt is called `text`, the size `image_size` and is written with a colon.

Source: https://www.runcomfy.com/models/bytedance/seedream-4-0/sequential/api. The one page that publishes a
prompt limit for machines (`maxLength` 600): nothing contradicts it for this model, so it is refused here.
"""

from typing import Annotated, Literal

from pydantic import Field

from jobs.catalog.advice import count_agrees, seed_in_range
from jobs.catalog.fields import PAGE_COUNT, Count, Inputs, Sendable, Whole64, no_default
from jobs.catalog.spec import ModelSpec

ImageSize = Literal[
    "2048:2048 (1:1)",
    "2304:1728 (4:3)",
    "1728:2304 (3:4)",
    "2560:1440 (16:9)",
    "1440:2560 (9:16)",
    "2496:1664 (3:2)",
    "1664:2496 (2:3)",
    "3024:1296 (21:9)",
]
"""The shape in brackets is part of the value."""


class Sequential40Inputs(Inputs):
    """A series of pictures from words alone. Only the prompt is required."""

    text: Annotated[
        str,
        Field(
            title="Prompt",
            description="Your prompt needs to contain the number of images you want to generate. Example: "
            "'Generate 3 images of a beautiful sunset over a calm ocean.'",
            max_length=600,
            json_schema_extra={"default": "Generate 3 images of a beautiful sunset over a calm ocean."},
        ),
        Sendable,
    ]
    image_size: Annotated[
        ImageSize,
        Field(title="Aspect Ratio (W:H)", description="The aspect ratio of the image to generate."),
    ] = "2560:1440 (16:9)"
    seed: Annotated[int, Whole64, Field(title="Seed", description="", json_schema_extra=no_default)] = 0
    sequential_image_generation_options: Annotated[
        Count,
        Field(
            title="Maximum Number of Output Images",
            description="This value must align with the number of images specified in the prompt above. The "
            "final price will be calculated based on this value.",
        ),
    ] = PAGE_COUNT
    optimize_prompt_options: Annotated[
        Literal["fast", "standard"],
        Field(
            title="Optimize Prompt",
            description="Standard mode produces higher-quality content but takes longer to generate. Fast "
            "mode generates content more quickly, with lower quality.",
        ),
    ] = "fast"


MODELS = (
    ModelSpec(
        model_id="bytedance/seedream-4-0/sequential",
        title="Seedream 4.0 Sequential",
        summary="a consistent series of up to 15 pictures from words, in eight shapes",
        source="https://www.runcomfy.com/models/bytedance/seedream-4-0/sequential/api",
        inputs=Sequential40Inputs,
        vocabulary={
            "prompt": "text",
            "size": "image_size",
            "count": "sequential_image_generation_options",
            "seed": "seed",
            "optimize": "optimize_prompt_options",
        },
        rules=(count_agrees("text"), seed_in_range),
    ),
)
