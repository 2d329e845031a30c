"""Documents as trees of plain text, with the line of every node."""
