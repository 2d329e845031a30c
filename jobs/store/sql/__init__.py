"""What holds for either database: group commit, and expressions that each spells its own way."""
