"""Inputs that other image programs know by other names, and what the models of this catalog have instead.

A sheet that was written for another program may have a column of one. It is not sent, which has to be said.
"""

from collections.abc import Collection, Mapping

from jobs.catalog.registry import MODELS

_ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "size": (
        *("width", "height", "w", "h", "aspect_ratio", "aspect", "ar", "ratio", "dimensions", "dimension"),
        *("image_width", "image_height", "output_size", "image_dimensions", "img_size", "orientation"),
    ),
    "count": (
        *("num_images", "number_of_images", "n_images", "n", "num_outputs", "num_samples", "n_samples"),
        *("batch_size", "batch_count", "n_iter", "num_images_per_prompt", "images_per_prompt", "max_images"),
        *("image_count", "variations", "num_variations", "quantity", "how_many", "copies"),
    ),
    "seed": ("noise_seed", "random_seed", "rng_seed", "seed_value"),
    "images": (
        *("image_url", "image_urls", "reference", "references", "reference_image", "reference_images"),
        *("input_image", "input_images", "init_image", "source_image", "ref", "ref_image", "img", "img_url"),
    ),
    "negative": (
        *("negative_prompt", "negative", "neg_prompt", "neg", "negative_text", "uc", "exclude_prompt"),
        *("negativeprompt", "negprompt"),
    ),
    "setting": (
        *(
            "steps",
            "num_inference_steps",
            "inference_steps",
            "sampling_steps",
            "cfg",
            "cfg_scale",
            "guidance",
        ),
        *("guidance_scale", "sampler", "sampler_name", "scheduler", "strength", "denoise", "lora", "loras"),
        *("denoising_strength", "clip_skip", "checkpoint", "vae", "hires_fix", "quality", "output_format"),
        *("safety_tolerance", "watermark", "enhance_prompt", "prompt_upsampling", "restore_faces", "tiling"),
    ),
}
_MEANS = {name: word for word, names in _ELSEWHERE.items() for name in names}


def instead_of(name: str, models: Collection[str]) -> str | None:
    """What these models have instead of an input of this name (lower case); None where it is none."""
    word = _MEANS.get(name)
    if word is None:
        return None
    if word == "negative":
        return "There is no negative prompt here. Say in the prompt itself what is to be left out."
    if word == "setting":
        return "The model has no such input."
    having = [model for model in models if model in MODELS and word in MODELS[model].vocabulary]
    if having:
        spec = MODELS[having[0]]
        choices = spec.fields[spec.vocabulary[word]].choices
        said = f", as in {choices[0]} or {choices[2]}" if choices else ""
        return f"Write it into a column {word}{said}."
    if word == "count":
        return "The model makes one picture a row. Write the row once for each picture."
    others = next(model for model, spec in MODELS.items() if word in spec.vocabulary)
    return f"The model takes no {word}. One that does: {others}."
