"""Modules as one classic script: the page's own, and whatever cannot be one is refused."""

import re

import pytest

from runner.gallery.bundle import bundle, view_script


def bundled(**modules: str) -> str:
    """The script of `a.js`."""
    return bundle("a.js", lambda name: modules[name.removesuffix(".js")])


def test_what_is_imported_comes_first_and_once() -> None:
    """Each in a scope of its own, with the names that it takes."""
    script = bundled(
        a='import { one } from "./b.js";\nimport {\n  two as other,\n} from "./c.js";\nconst X = 1;\n',
        b='import { two } from "./c.js";\nconst X = 2;\nexport function one() {}\n',
        c="export const two = 2;\nexport class Three {}\nexport async function four() {}\n",
    )
    assert re.findall(r'modules\["(\w)\.js"\] = ', script) == ["c", "b", "a"]
    assert "return { two, Three, four };" in script
    assert 'const { two: other } = modules["c.js"];' in script
    assert "export" not in script
    assert "import" not in script


@pytest.mark.parametrize(
    ("modules", "why"),
    [
        ({"a": 'import { x } from "./a.js";\n'}, "imports itself"),
        ({"a": 'import { x } from "./b.js";\n', "b": 'import { y } from "./a.js";\n'}, "imports itself"),
        ({"a": 'import { x } from "./b.js";\n', "b": "export const y = 1;\n"}, "does not export it"),
        ({"a": 'import * as b from "./b.js";\n'}, "cannot be bundled"),
        ({"a": 'import { x } from "https://cdn.example/x.js";\n'}, "cannot be bundled"),
        ({"a": "export default class {}\n"}, "cannot be bundled"),
        ({"a": "export let x = 1;\n"}, "cannot be bundled"),
    ],
)
def test_what_cannot_be_one_is_refused(modules: dict[str, str], why: str) -> None:
    """Here, and not in somebody's browser."""
    with pytest.raises(ValueError, match=why):
        bundled(**modules)


def test_the_gallery_has_the_page_s_grid() -> None:
    """The same source; and nothing of the page that asks a server."""
    script = view_script()
    assert 'modules["grid.js"]' in script
    assert 'modules["cell.js"]' in script
    for asks in ("fetch(", "EventSource", "XMLHttpRequest", "WebSocket", "http:", "https:", "innerHTML"):
        assert asks not in script
