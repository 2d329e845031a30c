"""What SQLite writes its own way."""

from jobs.store.sql.expressions import (
    Caseless,
    IsSet,
    JsonEntries,
    JsonItems,
    JsonMember,
    LikeInAnyCase,
    OnlyDigits,
    StoredText,
    spell,
)

spell(
    "sqlite",
    {
        JsonMember: lambda column, name: f"json_extract({column}, '$.{name[1:-1]}')",
        JsonEntries: lambda column: f"json_each({column})",
        JsonItems: lambda column: f"json_each({column})",
        StoredText: lambda column: column,  # JSON is text here
        LikeInAnyCase: lambda text, pattern: f"{text} LIKE {pattern} ESCAPE '\\'",
        Caseless: lambda text: f"{text} COLLATE NOCASE",
        OnlyDigits: lambda text: f"{text} NOT GLOB '*[^0-9]*'",
        IsSet: lambda flag: f"{flag} = 1",
    },
)
