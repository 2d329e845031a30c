"""APIs that offer models: a protocol, the vendor in use, and a package for all that knows that vendor."""
