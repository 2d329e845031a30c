"""Named lists of reference images, which a row's `images` may name instead of writing them out.

An entry is a URL, or files of this computer: one, those of a folder, or those of a pattern.
"""

from collections.abc import Iterator, Sequence

from jobs.catalog.image_urls import why_not
from jobs.problems import Problem, at
from jobs.sheets.images.album import NOWHERE, Album, Reference
from jobs.sheets.images.find import NotFound
from jobs.sheets.rows.image_cells import ImageSets, is_address, refusals
from jobs.sheets.trees.tree import ListNode, MappingNode, Node, Scalar

_SHAPE = "hero: [https://...]"


def read_image_sets(file: str, node: Node, album: Album = NOWHERE) -> tuple[ImageSets, list[Problem]]:
    """The sets by name, and every problem in them. An image is checked here, once, and not in each row.

    An invalid entry stays in its set as it was written, so that rows that name the set report nothing.
    """
    if not isinstance(node, MappingNode):
        if node == Scalar(None, node.line):
            return {}, []
        place = at(file, node.line, column="image_sets")
        return {}, [place.problem("Image sets are names, each with a list of pictures.", _SHAPE)]
    sets: dict[str, tuple[Reference, ...]] = {}
    problems: list[Problem] = []
    for name, value in node.nodes.items():
        nodes = value.nodes if isinstance(value, ListNode) else [value]
        addresses = [item.text.strip() for item in nodes if isinstance(item, Scalar) and item.text]
        if not addresses or len(addresses) < len(nodes):
            place = at(file, value.line, column=name)
            problems.append(place.problem("An image set is a list of pictures, one at least.", _SHAPE))
            sets[name] = tuple(addresses)
            continue
        found: list[Reference] = []
        for item, address in zip(nodes, addresses, strict=True):
            entries, wrong = _read(address, album)
            found += entries
            place = at(file, item.line, column=name, value=address)
            problems += [place.problem(message, hint) for message, hint in wrong]
        sets[name] = tuple(found)
    return sets, problems


def _read(address: str, album: Album) -> tuple[Sequence[Reference], list[tuple[str, str]]]:
    """The images of an entry, and its problems, each with a hint."""
    if is_address(address) or album.folders is None:
        sentence = why_not(address)
        return [address], [(sentence, "")] if sentence else []
    found = album.find(address)
    wrong = [reason for item in found for reason in _wrong(item)]
    return ([address] if wrong else [item for item in found if not isinstance(item, NotFound)]), wrong


def _wrong(item: Reference | NotFound) -> Iterator[tuple[str, str]]:
    if isinstance(item, NotFound):
        yield item.message, item.hint
    elif not isinstance(item, str):
        yield from refusals(item)
