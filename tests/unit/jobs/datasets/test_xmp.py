"""XMP: well-formed whatever a prompt holds, with names that programs read, never over another's file."""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.datasets.columns import ImageRow
from jobs.datasets.xmp import packet, write_beside
from jobs.review.decisions import DecisionSource, DecisionView, Verdict
from jobs.states import JobState
from jobs.views import JobView
from tests.support.served_page import png
from tests.support.tables import MODEL, NIGHT, picture

EXT = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
XMP = "{http://ns.adobe.com/xap/1.0/}"
DC = "{http://purl.org/dc/elements/1.1/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
EXIFTOOL = os.environ.get("NIGHTSHEET_EXIFTOOL") or shutil.which("exiftool")
NASTY = 'a <fox> & "two"\r\n]]> \x00\x0b\ud800\ufffe {properties} 狐 </rdf:RDF>'


def row(prompt: str = "a fox", *, model: str = MODEL, **decided: Any) -> ImageRow:
    """An image with what was decided about it, if anything was."""
    told: dict[str, Any] = {"number": 1, "sha256": "0" * 63 + "1", "verdict": None, "stars": 0, "note": ""}
    decision = DecisionView(**(told | decided), decided_at=NIGHT, source=DecisionSource.PAGE)
    inputs = {"prompt": prompt}
    view = JobView(
        *(1, "night", "fox", 1, True, 2, model, JobState.SUCCEEDED, json.dumps(inputs), 1, 1, "req-1"),
        *(None, None, None, (), {}, NIGHT, NIGHT, NIGHT, (picture(),)),
        decisions=(decision,) if decided else (),
    )
    return ImageRow(view, picture(), inputs)


def properties(data: bytes) -> dict[str, str]:
    """What a packet says, by the names of its properties."""
    description = next(ElementTree.fromstring(data).iter(f"{RDF}Description"))
    return {one.tag: "".join(one.itertext()) for one in description}


def test_a_picture_says_how_it_was_made() -> None:
    """By the names of IPTC 2025.1, and as a caption."""
    assert properties(packet(row())) == {
        f"{EXT}DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
        f"{EXT}AISystemUsed": MODEL,
        f"{EXT}AIPromptInformation": "a fox",
        f"{DC}description": "a fox",
    }


@pytest.mark.parametrize(
    ("decided", "rating", "label"),
    [
        ({"verdict": Verdict.ACCEPTED}, None, "Accepted"),
        ({"verdict": Verdict.ACCEPTED, "stars": 4}, "4", "Accepted"),
        ({"verdict": Verdict.REJECTED}, "-1", "Rejected"),
        ({"verdict": Verdict.REJECTED, "stars": 4}, "-1", "Rejected"),
        ({"verdict": Verdict.REROLL}, None, "Re-roll"),
        ({"stars": 1}, "1", None),
        ({"verdict": Verdict.REJECTED, "sha256": "f" * 64}, None, None),
        ({"verdict": Verdict.REJECTED, "number": 2}, None, None),
    ],
)
def test_a_decision_is_a_rating(decided: dict[str, Any], rating: str | None, label: str | None) -> None:
    """Of this image: one about an older or another image says nothing."""
    told = properties(packet(row(**decided)))
    assert (told.get(f"{XMP}Rating"), told.get(f"{XMP}Label")) == (rating, label)


def test_a_hostile_prompt_is_a_text() -> None:
    """It closes nothing, and what XML cannot hold is replaced."""
    told = properties(packet(row(NASTY)))
    wanted = 'a <fox> & "two"\r\n]]> \ufffd\ufffd\\ud800\ufffd {properties} 狐 </rdf:RDF>'
    assert told[f"{EXT}AIPromptInformation"] == told[f"{DC}description"] == wanted


@given(st.text())
def test_whatever_a_prompt_holds(prompt: str) -> None:
    """It is well-formed, and says the same in both places."""
    told = properties(packet(row(prompt)))
    assert told[f"{EXT}AIPromptInformation"] == told[f"{DC}description"]


def test_a_model_that_left_the_catalogue() -> None:
    """Its prompt is not known; what is known is said."""
    told = properties(packet(row(model="gone/model")))
    assert sorted(told) == [f"{EXT}AISystemUsed", f"{EXT}DigitalSourceType"]


def test_a_sidecar_is_written_beside_and_renewed(tmp_path: Path) -> None:
    """The image is as it was."""
    image = tmp_path / "01.png"
    image.write_bytes(png())
    assert write_beside(image, packet(row()))
    assert write_beside(image, packet(row("a hare")))
    assert properties((tmp_path / "01.png.xmp").read_bytes())[f"{DC}description"] == "a hare"
    assert image.read_bytes() == png()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("kind", ["other", "link", "folder"])
def test_another_program_s_sidecar_is_left(tmp_path: Path, kind: str) -> None:
    """A person's edits are in it."""
    image, sidecar = tmp_path / "01.png", tmp_path / "01.png.xmp"
    if kind == "other":
        sidecar.write_bytes(packet(row()).replace(b"Nightsheet", b"Adobe XMP Core"))
    elif kind == "link":
        (tmp_path / "real.xmp").write_bytes(packet(row()))
        sidecar.symlink_to("real.xmp")
    else:
        sidecar.mkdir()
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert not write_beside(image, packet(row("a hare")))
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


@pytest.mark.skipif(
    EXIFTOOL is None, reason="there is no exiftool: install it, or name it in NIGHTSHEET_EXIFTOOL"
)
def test_exiftool_reads_it(tmp_path: Path) -> None:
    """As it reads those of other programs."""
    assert EXIFTOOL is not None
    file = tmp_path / "01.png.xmp"
    file.write_bytes(packet(replace(row(NASTY, verdict=Verdict.REJECTED))))
    done = subprocess.run([EXIFTOOL, "-json", "-G1", str(file)], capture_output=True, check=True)
    (told,) = json.loads(done.stdout)
    assert "ExifTool:Warning" not in told
    assert told["XMP-xmp:Rating"] == -1
    assert told["XMP-iptcExt:DigitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert told["XMP-iptcExt:AISystemUsed"] == MODEL
    assert told["XMP-iptcExt:AIPromptInformation"].startswith('a <fox> & "two"')
    assert told["XMP-dc:Description"].endswith("狐 </rdf:RDF>")
