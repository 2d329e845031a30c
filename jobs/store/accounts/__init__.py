"""The accounts at an API: their limits, and whether these let a submit go."""
