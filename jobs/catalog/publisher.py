"""Who publishes the models of this catalog, and one of them for examples. Light: no pydantic."""

PUBLISHER_PREFIX = "bytedance/"
"""How every model id begins; left out where space is short."""

EXAMPLE_MODEL = "bytedance/seedream-4-5/edit"
"""A model that help texts name."""

FIRST_MODEL = "bytedance/seedream-4-5/text-to-image"
"""A model for a first sheet: one image a job, and no image of one's own is needed."""
