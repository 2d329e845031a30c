"""Rules that only warn: contradictions between sources, and advice."""

from typing import Any

import pytest

from jobs.catalog.advice import count_in
from jobs.catalog.registry import MODELS

COUNT = "sequential_image_generation_options"


def warnings(model: str, **values: Any) -> list[str]:
    """The warnings of a model for inputs that must pass."""
    checked = MODELS[f"bytedance/seedream-{model}"].check(values)
    assert checked.problems == ()
    assert checked.inputs == values
    return [found.message for found in checked.warnings]


@pytest.mark.parametrize(
    ("prompt", "numbers"),
    [
        ("Generate 3 images of a pier", (3,)),
        ("Generate Three Images of a pier", (3,)),
        ("12 moody, cinematic pictures", (12,)),
        ("a series of five frames", (5,)),
        ("one 35mm photo", ()),
        ("2 images of 3 cats", (2,)),
        ("two cats in 4 photos", (4,)),
        ("one photo, then two more photos", (1, 2)),
        ("a 16:9 image", ()),
        ("4K images", ()),
        ("f/2.8 photos", ()),
        ("twenty-one images", ()),
        ("two people looking at pictures", ()),
        ("", ()),
    ],
)
def test_the_numbers_of_pictures_in_a_prompt(prompt: str, numbers: tuple[int, ...]) -> None:
    """Digits and English words count where they speak of pictures, not where they speak of cats or ratios."""
    assert count_in(prompt) == numbers


@pytest.mark.parametrize(
    "prompt", ["3 " + "- " * 300_000, "3 " + "a-" * 300_000, "3 a" + " " * 500_000, "one " * 200_000]
)
def test_a_hostile_prompt_is_searched_in_reasonable_time(prompt: str) -> None:
    """No prompt makes the search go back and forth over it."""
    assert count_in(prompt) == ()


@pytest.mark.parametrize("number", ["5", "five"])
def test_a_count_that_disagrees_with_the_prompt_warns(number: str) -> None:
    """The pages want both to say the same; the job is not refused for it."""
    prompt = f"Generate {number} images of a pier"
    assert warnings("4-5/sequential", prompt=prompt, **{COUNT: 3}) == [
        "The prompt speaks of 5, but at most 3 are asked for."
    ]
    assert warnings("4-5/sequential", prompt=prompt, **{COUNT: 5}) == []
    assert warnings("4-0/sequential", text=prompt) == ["The prompt speaks of 5, but at most 3 are asked for."]


def test_one_number_that_agrees_is_enough() -> None:
    """A prompt may speak of several numbers."""
    prompt = "Two images of a pier and one image of a gull, 3 images in all"
    assert warnings("4-5/sequential", prompt=prompt, **{COUNT: 3}) == []


def test_a_prompt_without_a_number_warns_for_a_series() -> None:
    """Even for a page's own default prompt, which names none; a single picture needs no number."""
    prompt = "The man is riding a motor cycle on the road"
    images = ["https://a.example/1.png"]
    (message,) = warnings("4-5/edit-sequential", prompt=prompt, images=images, **{COUNT: 3})
    assert message == "The prompt does not say how many pictures to make, 3 are asked for."
    assert warnings("4-5/edit-sequential", prompt=prompt, images=images, **{COUNT: 1}) == []


@pytest.mark.parametrize(
    "prompt", ["un phare, trois tableaux \u00e0 l'huile", "\u4e09\u5f20\u56fe", "a triptych, 3 parts"]
)
def test_a_number_that_may_be_there_is_not_missed(prompt: str) -> None:
    """Other languages and other words for a picture cannot be read for sure: no warning."""
    assert warnings("4-5/sequential", prompt=prompt, **{COUNT: 3}) == []


@pytest.mark.parametrize(("model", "warned"), [("4-5/sequential", True), ("4-5/text-to-image", False)])
def test_six_hundred_characters_warn_where_the_page_speaks_of_characters(model: str, warned: bool) -> None:
    """599 characters pass, 600 warn, and nothing is refused: siblings speak of words."""
    values = {COUNT: 3} if warned else {}
    prompt = "Generate 3 images of " + "a" * 578
    assert warnings(model, prompt=prompt, **values) == []
    told = warnings(model, prompt=prompt + "a", **values)
    assert told == (
        ["The prompt has 600 characters, the model's page advises fewer than 600."] if warned else []
    )


@pytest.mark.parametrize("model", ["4-5/text-to-image", "4-5/edit"])
def test_six_hundred_words_warn_where_the_page_speaks_of_words(model: str) -> None:
    """600 words pass in silence, 601 warn."""
    values = {"images": ["https://a.example/1.png"]} if model == "4-5/edit" else {}
    assert warnings(model, prompt="pier " * 600, **values) == []
    (message,) = warnings(model, prompt="pier " * 601, **values)
    assert message == "The prompt has 601 words, the model's page advises at most 600."


@pytest.mark.parametrize(
    ("references", "count", "warned"), [(14, 1, False), (10, 5, False), (10, 6, True), (14, 15, True)]
)
def test_references_and_pictures_share_fifteen_places(references: int, count: int, warned: bool) -> None:
    """The schema alone allows 14 with 15; upstream counts them together: a warning."""
    images = [f"https://a.example/{number}.png" for number in range(references)]
    told = warnings("4-5/edit-sequential", prompt=f"Generate {count} images", images=images, **{COUNT: count})
    assert bool(told) is warned
    assert all(f"{references} reference pictures and {count} new ones" in message for message in told)


@pytest.mark.parametrize(
    ("ending", "warned"),
    [
        ("a.webp", True),
        ("a.GIF?x=.png", True),
        ("a.tiff#.png", True),
        ("a.jpeg", False),
        ("a.PNG", False),
        ("a", False),
    ],
)
def test_an_ending_that_is_not_jpeg_or_png_warns(ending: str, warned: bool) -> None:
    """An address's ending proves little, so it never refuses."""
    told = warnings("4-5/edit", prompt="x", images=[f"https://a.example/{ending}"])
    assert bool(told) is warned


@pytest.mark.parametrize(("seed", "warned"), [(0, False), (2**31 - 1, False), (2**31, True), (-1, True)])
def test_an_unusual_seed_warns(seed: int, warned: bool) -> None:
    """The pages name no range."""
    prompt = "Generate 3 images of a pier"
    assert bool(warnings("4-5/sequential", prompt=prompt, seed=seed, **{COUNT: 3})) is warned
    assert bool(warnings("4-0/sequential", text=prompt, seed=seed)) is warned
