"""What an application carries away: `Guard` judges tokens, `Refused` says why not."""

from idp.guard.guard import Access, Guard
from idp.guard.refused import Refused

__all__ = ["Access", "Guard", "Refused"]
