"""Data sets: a row an image, in the formats that programs for training and sorting read.

`columns` says what a row has; `pictures` gets the bytes; a format writes them (`parquet`, `imagefolder`,
`webdataset`); `export` passes everything on. `xmp` writes what is known of an image beside it.
"""
