"""A folder to share: the images of a batch, with a page over them that opens from a disk, without a server.

`bundle` makes one classic script of modules that the page of `nightsheet view` has as well; `writing` writes
the folder. It has no costs and no request ids, and prompts only where they were asked for.
"""
