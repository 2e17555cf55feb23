"""The Python client of Noise Audit: everything the command line does, from a notebook or a script."""

from noise_audit.client import Client
from noise_audit.problems import BrokenOff, JobFailed, ServerError, ServerUnreachable

__all__ = ["BrokenOff", "Client", "JobFailed", "ServerError", "ServerUnreachable"]
