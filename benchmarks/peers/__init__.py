"""What the product is measured beside: the same work in other ways."""
