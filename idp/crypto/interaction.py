"""`x-fapi-interaction-id`: one number by which a client and an API find a call in their logs."""

import re

HEADER = "x-fapi-interaction-id"
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def echoed(value: str | None) -> str | None:
    """The number a request came with, if it is a UUID; nothing else is ever sent back."""
    return value if value is not None and _UUID.fullmatch(value) else None
