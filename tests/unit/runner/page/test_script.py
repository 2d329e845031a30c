"""The modules of the page as one script: the same names, nothing of their comments, none left out."""

import gzip
import re
import shutil
import subprocess

import pytest

from runner.page.script import one_script, without_comments
from runner.page.shell import served_files, served_style, static_files

MODULES = {
    "app": '// @ts-check\nimport { a, b } from "./two.js";\nb(a, "x : y");\n',
    "two": "/** The first. */\nexport const a = 1;\n/**\n * @param {number} x\n */\n"
    "export async function b(x) {\n  // why\n  return /** @type {any} */ (x); // why\n}\n",
    "unused": "throw 1;\n",
}
MOST_BYTES = 30 * 1024
"""All of it, packed."""


def test_each_module_is_there_once() -> None:
    """Before who imports it; one that nobody imports is left out."""
    assert one_script(MODULES, "app") == ('const a=1;async function b(x){return(x);}\nb(a,"x : y");\n')


def test_texts_keep_their_room() -> None:
    """In quotes and templates; lines that may have a regular expression keep all of theirs."""
    lines = [
        'f( "a , b", `c : ${ d } , ${e}` );',
        'g( `c : ${ d ? "e , f" : `g = h` }` );',
        "h( /a = b/ , 'c = d' );",
        "if (a - 1 > b + +c) i = [ 1, 2 ];",
    ]
    put = ['f("a , b",`c : ${ d } , ${e}`);', *lines[1:3], "if(a - 1>b + +c)i=[1,2];"]
    assert one_script({"app": "\n".join(lines)}, "app") == "".join(put) + "\n"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"two": 'import { c } from "./app.js";\nexport const a = 1;\n'}, "imports itself"),
        ({"two": "export const a = 1;\n"}, "imports b from two"),
        ({"app": 'import { a } from "./three.js";\n'}, "is not there"),
        ({"app": 'import { a } from "./two.js";\nconst [c, b] = a;\n'}, "app and two both declare b"),
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
        for declared in re.findall(r"^export (?:const|class|(?:async )?function) (\w+)", text, re.MULTILINE):
            assert re.search(rf"\b(?:const|class|function) {declared}\b", script), f"{name} is not there"
        lines = [line for line in text.splitlines() if re.match(r"\s*(?:import|export)\b", line)]
        form = (
            r'import \{ \w+(?:, \w+)* \} from "\./\w+\.js";|export (?:const|class|(?:async )?function) \w+.*'
        )
        assert [line for line in lines if not re.fullmatch(form, line)] == [], name
        assert [line for line in text.splitlines() if line.count("`") % 2] == [], name
    assert not re.search(r"(?:^|;)\s*(?://|/\*|import |export )|@type|@param", script, re.MULTILINE)


def test_a_style_loses_its_comments_alone() -> None:
    """Its rules stay."""
    assert without_comments("/* a\n b */\n.a :is(b) { b: c d; } /* d */\n") == ".a :is(b){b:c d;}"
    whole = static_files()["style.css"].decode()
    without = re.sub(r"/\*.*?\*/", "", re.sub(r"\s", "", whole))
    assert without == re.sub(r"\s", "", served_style())
    assert not re.search(r"""["'][^"'\n]*[{};:,][^"'\n]*["']""", whole)


def test_what_is_shipped_is_small() -> None:
    """Packed, as it would go over a wire."""
    packed = [len(gzip.compress(data)) for data in (served_files()["page.js"], served_style().encode())]
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
