"""Images on their way from the API's hosts to their place on disk."""
