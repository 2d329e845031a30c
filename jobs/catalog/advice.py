"""Rules that only warn: of what a page merely advises, or what two sources disagree about.

A value is rejected only where every source rejects it: a job that the API accepts must not fail here. Each
rule takes inputs that passed the check, by the API's own field names.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jobs.catalog.fields import PAGE_COUNT
from jobs.catalog.findings import Finding, Rule

MOST_CHARACTERS = 600
MOST_WORDS = 600
MOST_PICTURES_AND_REFERENCES = 15
_COUNT = "sequential_image_generation_options"

_WORDS = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen"),
)
_NUMBERS = {word: number for number, word in enumerate(_WORDS, 1)}
_NUMBER = rf"(?:\d{{1,2}}|{'|'.join(_NUMBERS)})"
_ANY_NUMBER = re.compile(rf"\d|\b{_NUMBER}\b", re.IGNORECASE)
# "three moody, cinematic images": up to three describing words may stand between, but none that begins
# another phrase, as in "two cats in pictures".
_NOUNS = (
    r"(?:images?|pictures?|photos?|photographs?|pics?|frames?|panels?|illustrations?|renders?|variations?)\b"
)
_PICTURES = re.compile(
    rf"(?<![\w.:/-])({_NUMBER})[ -]+"
    r"(?:(?!(?:in|of|on|at|with|from|and|or|to|for|the|a|an|by|as|into|are|is|per)\b)[a-z][a-z-]*,?\s+){0,3}"
    + _NOUNS
)
_NOUN = re.compile(_NOUNS)
_NEAR = 120
"""Characters before a noun in which its number stands: what is searched is short, however long the prompt."""
_NOT_A_PICTURE = re.compile(r"\.(gif|webp|bmp|tiff?|svg|heic|heif|avif|pdf|mp4|mov|webm)$", re.IGNORECASE)


def count_in(prompt: str) -> tuple[int, ...]:
    """The numbers of images that a prompt names, in digits or English words: "three images" names 3."""
    text, found, end = prompt.lower(), [], 0
    for noun in _NOUN.finditer(text):
        counted = _PICTURES.search(text, max(end, noun.start() - _NEAR), noun.end())
        if counted is not None:
            found.append(_NUMBERS.get(counted[1]) or int(counted[1]))
            end = counted.end()
    return tuple(found)


def count_agrees(prompt_field: str) -> Rule:
    """The pages want the prompt to name the count, yet one page's own default prompt names none."""

    def rule(values: Mapping[str, Any]) -> Iterable[Finding]:
        count = values.get(_COUNT, PAGE_COUNT)
        prompt = values[prompt_field]
        named = count_in(prompt)
        if named and count not in named:
            yield Finding(
                _COUNT,
                count,
                f"The prompt speaks of {named[0]}, but at most {count} are asked for.",
                "The model follows the prompt up to this number: write the same in both.",
            )
        elif not named and count > 1 and prompt.isascii() and not _ANY_NUMBER.search(prompt):
            yield Finding(
                _COUNT,
                count,
                f"The prompt does not say how many pictures to make, {count} are asked for.",
                f'Fewer may come back. Write it into the prompt, as in "Generate {count} images of ...".',
            )

    return rule


def characters_advised(prompt_field: str) -> Rule:
    """ "Less than 600 characters", in words only, where siblings and the upstream model say 600 words."""

    def rule(values: Mapping[str, Any]) -> Iterable[Finding]:
        length = len(values[prompt_field])
        if length >= MOST_CHARACTERS:
            yield Finding(
                prompt_field,
                values[prompt_field],
                f"The prompt has {length} characters, the model's page advises fewer than {MOST_CHARACTERS}.",
                "Details may be ignored; a shorter prompt is safer.",
            )

    return rule


def words_advised(prompt_field: str) -> Rule:
    """ "The recommended length is no more than 600 English words"."""

    def rule(values: Mapping[str, Any]) -> Iterable[Finding]:
        prompt = values[prompt_field]
        # Six hundred words take 1,199 characters at least: most prompts need no counting.
        if len(prompt) > 2 * MOST_WORDS and (words := len(prompt.split())) > MOST_WORDS:
            yield Finding(
                prompt_field,
                prompt,
                f"The prompt has {words} words, the model's page advises at most {MOST_WORDS}.",
                "Details may be ignored; a shorter prompt is safer.",
            )

    return rule


def references_and_images(values: Mapping[str, Any]) -> Iterable[Finding]:
    """Upstream, references and images share 15 places; only the page's schema allows 14 with 15."""
    references = len(values["images"])
    count = values.get(_COUNT, PAGE_COUNT)
    if references + count > MOST_PICTURES_AND_REFERENCES:
        yield Finding(
            _COUNT,
            count,
            f"{references} reference pictures and {count} new ones are more than 15: fewer may come back.",
            f"Ask for at most {max(1, MOST_PICTURES_AND_REFERENCES - references)}, or give fewer references.",
        )


def jpeg_or_png(values: Mapping[str, Any]) -> Iterable[Finding]:
    """The page takes jpeg and png; the upstream model takes more, and an address's ending proves little."""
    for address in values["images"]:
        ending = _NOT_A_PICTURE.search(address.split("?", 1)[0].split("#", 1)[0])
        if ending:
            yield Finding(
                "images",
                address,
                f"The address ends in .{ending.group(1)}, the model's page takes jpeg and png pictures.",
            )


def seed_in_range(values: Mapping[str, Any]) -> Iterable[Finding]:
    """The pages name no range for a seed; 0 to 2^31 - 1 is what image services commonly keep intact."""
    seed = values.get("seed", 0)
    if seed == -1:
        hint = "Leave the cell empty: then one is drawn, and kept with the job."
        yield Finding(
            "seed", seed, "A seed of -1 draws one in other programs; here it is sent as it stands.", hint
        )
    elif not 0 <= seed < 2**31:
        yield Finding("seed", seed, "A seed outside 0 to 2147483647 may be refused or changed by the API.")
