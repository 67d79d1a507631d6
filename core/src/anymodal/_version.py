"""The version, for metadata and for keys of caches."""

__version__ = "0.1.0"
