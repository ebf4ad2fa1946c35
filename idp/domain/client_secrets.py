"""The secrets of clients: made once, compared without telling, and opened where they are keys."""

from collections.abc import Sequence
from datetime import datetime

from idp.crypto.secrets import Handle, digest, new_handle, same, seal, unseal
from idp.domain.client_view import ClientView
from idp.store.clients import ClientSecret


def fresh(
    sealing_key: bytes, client_id: str, method: str, now: datetime
) -> tuple[Handle, ClientSecret]:
    """A new secret, and what we keep of it."""
    secret, sealed = new_handle("cs_"), None
    if method == "client_secret_jwt":
        sealed = seal(sealing_key, secret.encode(), bound_to=client_id)
    kept = ClientSecret(client_id=client_id, digest=digest(secret), sealed=sealed, created_at=now)
    return secret, kept


def holds(view: ClientView, secret: str, now: datetime) -> bool:
    """Whether this is one of the client's secrets; the time it takes does not tell."""
    presented = digest(secret)
    held = [
        same(kept.digest, presented)
        for kept in view.secrets
        if kept.expires_at is None or kept.expires_at > now
    ]
    return bool(secret) and any(held)


def opened(sealing_key: bytes, view: ClientView, now: datetime) -> Sequence[bytes]:
    """The secrets themselves, where they are keys (client_secret_jwt)."""
    return [
        unseal(sealing_key, kept.sealed, bound_to=view.client_id)
        for kept in view.secrets
        if kept.sealed is not None and (kept.expires_at is None or kept.expires_at > now)
    ]
