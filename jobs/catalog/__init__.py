"""The models that can be run: their inputs, limits and picture counts."""
