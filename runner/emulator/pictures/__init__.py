"""Images in place of a model's: drawn fast, the same for the same recipe."""
