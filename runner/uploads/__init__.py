"""Images of this computer, on their way to where the API can fetch them."""
