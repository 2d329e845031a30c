"""What `export` does beyond a manifest: what a search finds, data sets, sidecars."""
