"""Who publishes the models of this catalog, and one of them for examples. Light: no pydantic."""

PUBLISHER_PREFIX = "bytedance/"
"""How every model id begins; left out where space is short."""

EXAMPLE_MODEL = "bytedance/seedream-4-5/edit"
"""A model that help texts name."""
