"""How a guard is set up; the same for every process of an application."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

import httpx

from idp.crypto.dpop import Nonces
from idp.guard.metadata import ProtectedResource
from idp.guard.replay import Replay

MAX_SILENCE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Checked once, when the application is put together."""

    issuer: str
    audience: str
    credentials: tuple[str, str] | None
    origin: str
    redis_url: str | None
    max_silence: float
    introspection_cache: float
    most_tokens: int
    replay: Replay | None
    nonces: Nonces | None
    metadata: ProtectedResource | None
    http: httpx.Client | None
    clock: Callable[[], datetime]
    ticks: Callable[[], float]

    def __post_init__(self) -> None:
        for name, value in (("issuer", self.issuer), ("audience", self.audience)):
            if not isinstance(value, str) or not value:
                raise TypeError(f"{name} is missing")
        if not self.max_silence > 0 or self.introspection_cache < 0 or self.most_tokens < 1:
            raise ValueError("a limit cannot be negative or nothing")


def origin_of(audience: str) -> str:
    """Where an API is reached, if its identifier says so."""
    parts = urlsplit(audience)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else ""


elapsed = partial(time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
"""Seconds that only move ahead, the time a machine was asleep included where it is told: what was
known before a long sleep is old afterwards.
"""
