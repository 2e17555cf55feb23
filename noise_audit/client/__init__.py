"""The client: one method per thing a person can do; answers are the server's JSON as typed dictionaries."""

from noise_audit.client.datasets import named_after
from noise_audit.client.findings import Findings
from noise_audit.client.reviews import Reviews
from noise_audit.client.runs import Runs
from noise_audit.client.versions import Versions

__all__ = ["Client", "named_after"]


class Client(Versions, Reviews, Runs, Findings):
    """A connection to one Noise Audit server.

    Without arguments it talks to `NOISE_AUDIT_URL` or the server started last on this machine, with
    `NOISE_AUDIT_TOKEN` or the token that server left for this user. Raises `ServerError` when the
    server refuses and `ServerUnreachable` when none answers.
    """
