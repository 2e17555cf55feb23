"""The Python client of Noise Audit: everything the command line does, from a notebook or a script."""

from noise_audit.client import Client
from noise_audit.problems import ServerError, ServerUnreachable

__all__ = ["Client", "ServerError", "ServerUnreachable"]
