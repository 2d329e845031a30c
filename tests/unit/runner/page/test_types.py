"""The page's modules have types in their comments: a compiler reads them, where there is one."""

import shutil
import subprocess
from pathlib import Path

import pytest

MODULES = Path(__file__).parents[4] / "runner" / "page" / "static"
OPTIONS = (
    *("--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "esnext", "--module", "esnext"),
    *("--moduleResolution", "bundler", "--lib", "esnext,dom,dom.iterable"),
)


@pytest.mark.skipif(shutil.which("tsc") is None, reason="there is no tsc: `npm install -g typescript`")
@pytest.mark.parametrize(
    ("wrong", "found"), [("", []), ("export const one = readAddress().nothing;\n", ["nothing"])]
)
def test_types_hold(tmp_path: Path, wrong: str, found: list[str]) -> None:
    """And a wrong one is found."""
    modules = shutil.copytree(MODULES, tmp_path / "static")
    if wrong:
        text = f'// @ts-check\nimport {{ readAddress }} from "./address.js";\n{wrong}'
        (modules / "wrong.js").write_text(text)
    names = sorted(path.name for path in modules.glob("*.js"))
    done = subprocess.run(["tsc", *OPTIONS, *names], cwd=modules, capture_output=True, text=True, check=False)
    errors = [line for line in done.stdout.splitlines() if "error" in line]
    assert len(errors) == len(found), done.stdout
    assert all(word in line for word, line in zip(found, errors, strict=True))
