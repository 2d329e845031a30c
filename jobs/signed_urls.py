"""What signs a URL: query parameters that let their holder fetch a file, and say nothing about the file.

The one place that names them. A signed URL of the same file is another text each time it is made.
"""

import re

_ALONE = (
    r"x-amz-[a-z0-9-]+|x-goog-[a-z0-9-]+|x-oss-[a-z0-9-]+|q-sign-[a-z-]+|q-signature|signature|sig|expires"
    r"|awsaccesskeyid|googleaccessid|ossaccesskeyid|key-pair-id"
)
"""Parameters that only a signature has: Amazon S3 and CloudFront, Google, Alibaba, Tencent, Azure."""
_BESIDE = frozenset({"policy", "se", "sp", "spr", "sip", "sr", "sv", "st", "ske", "sks", "skt", "skv"})
_BESIDE |= {"skoid", "sktid"}
"""Short names, CloudFront's and Azure's, that belong to a signature where `sig` or `signature` is there."""
_SIGNS = re.compile(_ALONE, re.IGNORECASE)
_IN_TEXT = re.compile(rf"\b({_ALONE})=[^\s\"'&<>\\]+", re.IGNORECASE)


def unsigned(url: str) -> str:
    """The URL without what signs it; all else, the order of its parameters too, as it is written."""
    address, question, query = url.partition("?")
    if not question:
        return url
    query, mark, fragment = query.partition("#")
    parts = query.split("&")
    names = [part.partition("=")[0].lower() for part in parts]
    is_signed = not {"sig", "signature"}.isdisjoint(names)
    kept = [
        part
        for part, name in zip(parts, names, strict=True)
        if not (_SIGNS.fullmatch(name) or (is_signed and name in _BESIDE))
    ]
    if len(kept) == len(parts):
        return url
    return f"{address}{'?' if kept else ''}{'&'.join(kept)}{mark}{fragment}"


def without_signature_values(text: str) -> str:
    """Any text, with `…` for the values of such parameters."""
    return _IN_TEXT.sub(r"\1=…", text)
