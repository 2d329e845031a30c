"""Documents as plain text in a tree, with the line of everything."""
