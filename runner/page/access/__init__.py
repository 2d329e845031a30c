"""Who reaches the page: which requests, which persons, and the links that let one in."""
