"""What a client says about itself, held against what this provider does and what others say."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from idp.domain.client_documents import is_address
from idp.domain.metadata import InvalidMetadata, checked
from idp.domain.metadata.operators import decided, offered
from idp.domain.metadata.profiles import judge_policies
from idp.domain.outbound import Outbound, OutboundRefused
from idp.domain.rules import Rules
from idp.store import Json

NOTHING: Json = {}


class Admission:
    """The metadata of clients as it will be kept, by the operator's rules.

    `let_go` ends the reading transaction of the request: no database connection is held while
    somebody else's server takes its time (SSR-08).
    """

    def __init__(self, outbound: Outbound, let_go: Callable[[], None], rules: Rules) -> None:
        self._outbound = outbound
        self._let_go = let_go
        self._rules = rules

    def checked(self, details: Mapping[str, Any]) -> Json:
        """Every member checked, and defaults filled in; raises `InvalidMetadata`."""
        if details.get("token_endpoint_auth_method") == "tls_client_auth":
            if self._rules.authorities is None:
                raise InvalidMetadata("tls_client_auth needs authorities; set mtls.ca_bundle")
        kept = checked(
            details, loopback=self._rules.loopback_allowed, legacy=self._rules.legacy_response_types
        )
        self._judge_sector(kept)
        return kept

    def offered(self, details: Mapping[str, Any], before: Mapping[str, Any] = NOTHING) -> Json:
        """The same of a client that speaks for itself: it grants itself no privilege (DCR-04),
        and keeps what an operator has decided about it.
        """
        return self.checked(offered(details) | decided(before))

    def decided(self, client_id: str, said: Mapping[str, Any], policies: Iterable[str]) -> Json:
        """The same of a client an operator decides about, which has named these policies. One
        that describes itself at its own address could take back what a profile promises.
        """
        kept = self.checked(said)
        if kept.get("profile") is not None and is_address(client_id):
            raise InvalidMetadata("a client that describes itself cannot be held to a profile")
        judge_policies(kept.get("profile"), policies)
        return kept

    def _judge_sector(self, kept: Json) -> None:
        """The sector must say that these addresses are its own (OpenID Connect Core section 8.1):
        nobody joins the sector of somebody else. Why it does not is not told (SSR-07).
        """
        address = kept.get("sector_identifier_uri")
        if address is None:
            return
        self._let_go()
        try:
            named = self._outbound.get_json(address)
        except OutboundRefused:
            named = None
        if not isinstance(named, list) or not all(uri in named for uri in kept["redirect_uris"]):
            raise InvalidMetadata("sector_identifier_uri does not name every redirect URI")
