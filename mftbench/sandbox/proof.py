"""What counts as proof when a runner's report comes out."""

from __future__ import annotations

import hmac
import json
import secrets

from pydantic import TypeAdapter, ValidationError

from mftbench.contract import Report
from mftbench.errors import SandboxError

_REPORT = TypeAdapter(Report)


def new_nonce() -> str:
    """Draw the secret of one step."""
    return secrets.token_hex(16)


def read_report(body: bytes, nonce: str) -> Report | None:
    """Take the report if it is exactly one message with this nonce, else None.

    Raises SandboxError if the message is that the runner failed before the program had a say.
    """
    try:
        message = json.loads(body)
        given = message["nonce"]
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
            return None
        if "fault" in message:
            raise SandboxError(f"the runner could not begin: {message['fault']}")
        return _REPORT.validate_python(message["report"])
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError):
        return None
