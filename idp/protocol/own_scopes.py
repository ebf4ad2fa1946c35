"""Scopes of endpoints of our own that a client can have for itself, with what they allow.

They reach beyond the client: what happens to people, receipts of anybody. So an operator names
them in the client's metadata, one by one; who registered itself has none of them.
"""

from idp.domain.clients import ClientView

SSF_READ = "ssf.read"
SSF_MANAGE = "ssf.manage"
RECEIPTS_READ = "receipts.read"
GLOBAL_TOKEN_REVOCATION = "global_token_revocation"  # noqa: S105 - a scope

OWN_SCOPES = (SSF_READ, SSF_MANAGE, RECEIPTS_READ, GLOBAL_TOKEN_REVOCATION)


def granted(client: ClientView) -> frozenset[str]:
    """Those of these scopes that an operator has given to this client."""
    if client.dynamic or client.scopes is None:
        return frozenset()
    return client.scopes & set(OWN_SCOPES)
