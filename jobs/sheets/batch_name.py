"""Names of batches: what the user wrote, as long as it can name a folder and a row of a table."""

LONGEST = 100


def why_not_a_batch_name(name: str) -> str | None:
    """Why a batch cannot have this name, as a sentence; None where it can."""
    if not name.strip():
        return "The batch's name is empty."
    if len(name) > LONGEST:
        return f"The batch's name has {len(name)} characters, at most {LONGEST} are allowed."
    if "/" in name or "\\" in name or name in (".", ".."):
        return "The batch's name cannot hold a slash, or be only dots."
    if not name.isprintable():
        return "The batch's name holds a line break or another character that cannot be printed."
    return None
