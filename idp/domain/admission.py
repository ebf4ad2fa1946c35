"""What a client says about itself, held against what this provider does."""

from collections.abc import Mapping
from typing import Any

from idp.domain.metadata import checked
from idp.domain.metadata.operators import offered
from idp.domain.rules import Rules
from idp.store import Json


class Admission:
    """The metadata of clients as it will be kept, by the operator's rules."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def checked(self, details: Mapping[str, Any]) -> Json:
        """Every member checked, and defaults filled in; raises `InvalidMetadata`."""
        return checked(
            details, loopback=self._rules.loopback_allowed, legacy=self._rules.legacy_response_types
        )

    def offered(self, details: Mapping[str, Any]) -> Json:
        """The same of a client that speaks for itself: it grants itself no privilege (DCR-04)."""
        return self.checked(offered(details))
