"""The modules of the page as one script: the same names, nothing of their comments, none left out."""

import gzip
import re
import shutil
import subprocess

import pytest

from runner.page.script import one_script, without_comments
from runner.page.shell import served_files, static_files

MODULES = {
    "app": '// @ts-check\nimport { a as one, b } from "./two.js";\nb(one);\n',
    "two": "/** The first. */\nexport const a = 1;\n/**\n * @param {number} x\n */\n"
    "export async function b(x) {\n  // why\n  return /** @type {any} */ (x); // why\n}\n",
    "unused": "throw 1;\n",
}
MOST_BYTES = 31_000
"""All of it, packed."""


def test_each_module_has_a_scope_of_its_own() -> None:
    """Run before who imports it; one that nobody imports is left out."""
    assert one_script(MODULES, "app") == (
        "const $two = (() => {\nconst a = 1;\nasync function b(x) {\nreturn (x);\n}\n"
        "return { a, b };\n})();\n"
        "const $app = (() => {\nconst { a: one, b } = $two;\nb(one);\nreturn {  };\n})();\n"
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"two": 'import { c } from "./app.js";\nexport const a = 1;\n'}, "imports itself"),
        ({"two": "export const a = 1;\n"}, "imports b from two"),
        ({"app": 'import { a } from "./three.js";\n'}, "is not there"),
    ],
)
def test_what_cannot_be_put_together_is_refused(changes: dict[str, str], why: str) -> None:
    """When the page starts, not in somebody's browser."""
    with pytest.raises(ValueError, match=why):
        one_script(MODULES | changes, "app")


def test_the_page_s_modules_are_written_so_that_they_can_be_put_together() -> None:
    """Each export and import in the one form, no text over a line's end, none left out."""
    script = served_files()["page.js"].decode()
    for name, data in static_files().items():
        if not name.endswith(".js"):
            continue
        text = data.decode()
        assert f"const ${name.removesuffix('.js')} = " in script, f"{name} is imported by nobody"
        lines = [line for line in text.splitlines() if re.match(r"\s*(?:import|export)\b", line)]
        form = r'import \{ .+ \} from "\./\w+\.js";|export (?:const|class|(?:async )?function) \w+.*'
        assert [line for line in lines if not re.fullmatch(form, line)] == [], name
        assert [line for line in text.splitlines() if line.count("`") % 2] == [], name
    assert not re.search(r"^\s*(?://|/\*|import |export )|@type|@param", script, re.MULTILINE)


def test_a_style_loses_its_comments_alone() -> None:
    """Its rules stay."""
    assert without_comments("/* a\n b */\n.a :is(b) { b: c d; } /* d */\n") == "\n.a :is(b){b: c d;}"
    whole, served = (
        re.sub(r"\s", "", files()["style.css"].decode()) for files in (static_files, served_files)
    )
    assert re.sub(r"/\*.*?\*/", "", whole) == served
    assert not re.search(r"""["'][^"'\n]*[{}][^"'\n]*["']""", static_files()["style.css"].decode())


def test_what_is_shipped_is_small() -> None:
    """Packed, as it would go over a wire."""
    packed = [len(gzip.compress(data)) for name, data in served_files().items() if name != "icon.svg"]
    assert sum(packed) < MOST_BYTES, packed


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node to parse it")
def test_the_script_is_a_script() -> None:
    """Parsed as a module by another engine than that of the browser's tests."""
    done = subprocess.run(
        ["node", "--input-type=module", "--check"],
        input=served_files()["page.js"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
