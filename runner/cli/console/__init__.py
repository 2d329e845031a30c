"""The only printing: output, tables, progress, errors."""
