"""What the operator has decided, as the domain and the protocol need to know it."""

from dataclasses import dataclass
from datetime import timedelta

from idp.crypto.authorities import Authorities


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Lifetimes and switches; one frozen value, built from the settings at start."""

    issuer: str
    name: str = "idp"
    access_lifetime: timedelta = timedelta(minutes=5)
    access_longest: timedelta = timedelta(hours=1)
    id_token_lifetime: timedelta = timedelta(minutes=10)
    sliding_interval: timedelta = timedelta(seconds=60)
    resource_policies: tuple[str, ...] = ("short_jwt",)
    client_policies: tuple[str, ...] = ("rotation",)
    code_lifetime: timedelta = timedelta(seconds=60)
    interaction_lifetime: timedelta = timedelta(minutes=30)
    approval_lifetime: timedelta = timedelta(minutes=10)  # device codes, CIBA requests
    session_idle: timedelta = timedelta(hours=12)
    session_absolute: timedelta = timedelta(days=7)
    line_idle: timedelta = timedelta(days=14)
    line_absolute: timedelta = timedelta(days=90)
    rotation_grace: timedelta = timedelta(0)
    delivery_max_age: timedelta = timedelta(hours=24)
    receipt_kept: timedelta = timedelta(days=90)
    events_kept: timedelta = timedelta(days=365)
    feed_margin: timedelta = timedelta(minutes=2)
    max_silence: timedelta = timedelta(seconds=3)  # how long a guard trusts what it last heard
    strict: bool = False  # a sign-out waits until every guard that listens has confirmed
    feed_listeners: int = 16  # guards that may wait for news at once, in each process
    second_factor: str = "enrolled"  # who must have one: or "nobody", or "all"
    pkce_required: str = "public"  # or "all"
    legacy_response_types: bool = False  # access tokens in the address of an answer
    dpop_nonce_required: bool = False  # RFC 9449 section 8
    mtls: bool = False  # clients may show certificates (RFC 8705)
    mtls_origin: str = ""  # where they are asked for one, if not at the issuer itself
    authorities: Authorities | None = None  # whose certificates `tls_client_auth` takes
    registration: str = "token"  # or "open", or "off"
    registration_quota: int = 20  # clients an address may register in an hour
    client_documents: str = "off"  # or "listed", or "any": client_id metadata documents
    client_document_hosts: tuple[str, ...] = ()
    unused_client_kept: timedelta = timedelta(days=30)
    token_endpoint_audience: bool = False  # grant `assertion_audience` to registered clients
    default_subjects: str = "ALL"  # or "NONE": a stream tells of whom its receiver has named
    status_list_ttl: timedelta = timedelta(seconds=30)  # when an API fetches a list again
    stream_pollers: int = 4  # receivers that may wait for events at once, in each process
    loopback_allowed: bool = False  # http://localhost in metadata URIs; development only
