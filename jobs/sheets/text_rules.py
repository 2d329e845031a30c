"""Rules of text that the formats with typed values share: a cell is a text, or a list of texts."""

OBJECT = "An object cannot stand here: a text, a number or a list is needed."
LIST = "A list holds texts only: none of them empty, no lists, no objects."


def why_not_text(text: str) -> str | None:
    """Why a text cannot be sent or stored, as a sentence; None where it can. Escapes can write such texts."""
    if "\0" in text:
        return "The text holds a NUL character."
    try:
        text.encode()
    except UnicodeEncodeError:
        return "The text holds half a character (a lone surrogate)."
    return None


def why_not_name(name: str) -> str | None:
    """Why this cannot be the name of a column, as a sentence; None where it can."""
    return "The name of a column is empty." if not name.strip() else why_not_text(name)
