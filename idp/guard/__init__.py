"""What an application carries away: `Guard` judges tokens, `Refused` says why not."""

from idp.guard.access import Access
from idp.guard.certificates import Certificates
from idp.guard.guard import Guard
from idp.guard.metadata import ProtectedResource
from idp.guard.needs import Arrival, Freshness, Need
from idp.guard.refused import Refused

__all__ = [
    "Access",
    "Arrival",
    "Certificates",
    "Freshness",
    "Guard",
    "Need",
    "ProtectedResource",
    "Refused",
]
