"""One module a format: from a file to rows of text, or to a document's tree. `registry` lists them."""
