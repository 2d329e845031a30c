"""What PostgreSQL writes its own way."""

from jobs.store.sql.expressions import (
    Caseless,
    IsSet,
    JsonEntries,
    JsonMember,
    LikeInAnyCase,
    OnlyDigits,
    StoredText,
    spell,
)

_ENTRIES = (
    "LATERAL (SELECT key, value, ordinality AS id FROM json_each_text(CAST({} AS JSON)) WITH ORDINALITY)"
)

spell(
    "postgresql",
    {
        JsonMember: lambda column, name: f"(CAST({column} AS JSON) ->> {name})",
        JsonEntries: lambda column: _ENTRIES.format(column),
        StoredText: lambda column: f"CAST({column} AS TEXT)",
        LikeInAnyCase: lambda text, pattern: f"{text} ILIKE {pattern} ESCAPE '\\'",
        Caseless: lambda text: f"lower({text})",
        OnlyDigits: lambda text: f"{text} !~ '[^0-9]'",
        IsSet: lambda flag: flag,
    },
)
