"""XMP beside an image: its prompt, its model, that a model made it, in the fields that programs read.

Properties of IPTC's Photo Metadata Standard 2025.1 among them. The image itself is never written to: it would
have another hash, and a signature inside would break.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from jobs.datasets.columns import ImageRow, plain_text
from jobs.disk.atomic_file import atomic_file
from jobs.review.decisions import Verdict

SUFFIX = ".xmp"
_OURS = b'x:xmptk="Nightsheet"'
_HEAD_BYTES = 512
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_MADE_BY_A_MODEL = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
REJECTED = "-1"
"""Instead of a number of stars, as Adobe's programs have it."""
_LABELS = {Verdict.ACCEPTED: "Accepted", Verdict.REJECTED: "Rejected", Verdict.REROLL: "Re-roll"}
"""For an acceptance XMP has no field that many programs read; a label is shown by most."""
_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Nightsheet">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
{properties}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


@dataclass(slots=True)
class SidecarCounts:
    """Sidecars that were written, and those of other programs that were left as they are."""

    written: int = 0
    left: int = 0


def packet(row: ImageRow) -> bytes:
    """What is known of an image, as a sidecar file has it."""
    prompt, decision = row.common("prompt"), row.decision
    told = [
        _simple("Iptc4xmpExt:DigitalSourceType", _MADE_BY_A_MODEL),
        _simple("Iptc4xmpExt:AISystemUsed", row.job.model),
    ]
    if isinstance(prompt, str):
        told.append(_simple("Iptc4xmpExt:AIPromptInformation", prompt))
        text = f'<rdf:Alt><rdf:li xml:lang="x-default">{_escaped(prompt)}</rdf:li></rdf:Alt>'
        told.append(f"   <dc:description>{text}</dc:description>")
    if decision is not None and decision.verdict is Verdict.REJECTED:
        told.append(_simple("xmp:Rating", REJECTED))
    elif decision is not None and decision.stars:
        told.append(_simple("xmp:Rating", str(decision.stars)))
    if decision is not None and decision.verdict is not None:
        told.append(_simple("xmp:Label", _LABELS[decision.verdict]))
    return _PACKET.format(properties="\n".join(told)).encode()


def write_beside(image: Path, data: bytes) -> bool:
    """Write a sidecar to the image `NAME.png` as `NAME.png.xmp`; False where another program's is there.

    Blocks.

    Raises:
        OSError: it cannot be written.
    """
    target = image.with_name(image.name + SUFFIX)
    if target.is_symlink() or (target.exists() and not _is_ours(target)):
        return False
    with atomic_file(target) as file:
        file.write(data)
        file.commit(durable=False)
    return True


def _is_ours(file: Path) -> bool:
    """Whether no other program has written it since: each puts its own name there."""
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return _OURS in opened.read(_HEAD_BYTES)


def _simple(name: str, value: str) -> str:
    return f"   <{name}>{_escaped(value)}</{name}>"


def _escaped(text: str) -> str:
    # XML has no way to write most control characters; a bare CR would be read as LF.
    allowed = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", plain_text(text))
    return escape(allowed, {"\r": "&#13;"})
