"""What the page asks of the store: tiles, what a search means in SQL, the values to filter by."""
