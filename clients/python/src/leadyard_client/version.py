"""The version, which is the version of the service that the client was made for."""

__version__ = "0.1.0"
