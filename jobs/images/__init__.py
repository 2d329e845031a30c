"""An image by its bytes, and the file that was recorded for it."""
