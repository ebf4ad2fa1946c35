"""One frozen tree of settings, from `config/*.toml`, `IDP_*` and `IDP_*_FILE`.

The environment wins over the file, the file over the defaults. A key nobody knows, lifetimes
that contradict each other and secrets that are too weak are refused at start, with a sentence.
"""

import difflib
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from idp.domain.rules import Rules
from idp.settings.rooms import (
    ClientDocuments,
    Dpop,
    Feed,
    Lifetimes,
    Mtls,
    Outbound,
    Policies,
    Registration,
    SecondFactor,
    Server,
    Signals,
    SignOut,
    Throttle,
    Worker,
)
from idp.settings.sources import (
    SettingsRefused,
    files_named,
    from_environment,
    read_toml,
    refuse_open_files,
)

__all__ = ["Settings", "SettingsRefused", "load"]

SECRETS = {"secret", "metrics_token"}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
SHORTEST_SECRET = 32
LISTS = {"allowed", "proxy_networks", "networks", "resource", "client", "hosts"}


class Settings(BaseSettings, frozen=True, extra="forbid"):
    """Everything an operator decides."""

    issuer: str = ""
    name: str = "idp"
    port: int = Field(9000, ge=1, le=65535)
    data_dir: Path = Path("var")
    database_url: str = ""
    redis_url: str = ""
    secret: str = ""
    metrics_token: str = ""
    pkce_required: Literal["public", "all"] = "public"
    legacy_response_types: bool = False
    lifetimes: Lifetimes = Lifetimes()
    policies: Policies = Policies()
    registration: Registration = Registration()
    throttle: Throttle = Throttle()
    second_factor: SecondFactor = SecondFactor()
    client_documents: ClientDocuments = ClientDocuments()
    dpop: Dpop = Dpop()
    mtls: Mtls = Mtls()
    outbound: Outbound = Outbound()
    worker: Worker = Worker()
    server: Server = Server()
    feed: Feed = Feed()
    sign_out: SignOut = SignOut()
    signals: Signals = Signals()

    @model_validator(mode="after")
    def _issuer_is_safe(self) -> Self:
        parts = urlsplit(self.effective_issuer)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError(
                f"issuer {self.issuer!r} is not https; only a loopback address may use http"
            )
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"issuer {self.issuer!r} is not an https address")
        if parts.query or parts.fragment or self.effective_issuer.endswith("/"):
            raise ValueError(
                "issuer must not end in a slash and has neither query nor fragment "
                "(OpenID Connect Discovery section 3)"
            )
        return self

    @model_validator(mode="after")
    def _secret_is_strong(self) -> Self:
        if self.secret and len(self.secret) < SHORTEST_SECRET:
            raise ValueError(
                f"secret is shorter than {SHORTEST_SECRET} characters; make one with "
                "`python -c 'import secrets; print(secrets.token_urlsafe(48))'`"
            )
        if not self.secret and not self.loopback:
            raise ValueError(
                "secret is missing; set IDP_SECRET_FILE (or IDP_SECRET): it opens the signing "
                "keys, and every process of this provider needs the same one"
            )
        return self

    @field_validator("metrics_token")
    @classmethod
    def _token_is_strong(cls, token: str) -> str:
        if token and len(token) < SHORTEST_SECRET:
            raise ValueError(f"shorter than {SHORTEST_SECRET} characters")
        return token

    @property
    def effective_issuer(self) -> str:
        return self.issuer or f"http://localhost:{self.port}"

    @property
    def all_threads(self) -> int:
        """Those that answer requests, and those that guards and receivers may keep waiting."""
        return self.server.threads + self.feed.listeners + self.signals.pollers

    @property
    def loopback(self) -> bool:
        """Whether this is development: an http issuer on this very machine."""
        return urlsplit(self.effective_issuer).scheme == "http"

    @property
    def effective_database_url(self) -> str:
        if not self.database_url:
            return f"sqlite:///{self.data_dir.absolute() / 'idp.sqlite3'}"
        for short in ("postgres://", "postgresql://"):
            if self.database_url.startswith(short):
                return "postgresql+psycopg://" + self.database_url.removeprefix(short)
        return self.database_url

    def rules(self) -> Rules:
        """The part of the settings that the domain and the protocol know."""
        lives = self.lifetimes
        return Rules(
            issuer=self.effective_issuer,
            name=self.name,
            access_lifetime=timedelta(seconds=lives.access_token),
            id_token_lifetime=timedelta(seconds=lives.id_token),
            code_lifetime=timedelta(seconds=lives.code),
            interaction_lifetime=timedelta(seconds=lives.sign_in),
            approval_lifetime=timedelta(seconds=lives.approval),
            session_idle=timedelta(seconds=lives.session_idle),
            session_absolute=timedelta(seconds=lives.session_absolute),
            line_idle=timedelta(seconds=lives.refresh_idle),
            line_absolute=timedelta(seconds=lives.refresh_absolute),
            resource_policies=self.policies.resource,
            client_policies=self.policies.client,
            rotation_grace=timedelta(seconds=lives.rotation_grace),
            sliding_interval=timedelta(seconds=lives.sliding_interval),
            delivery_max_age=timedelta(hours=self.worker.delivery_max_age_hours),
            max_silence=timedelta(seconds=self.feed.max_silence),
            strict=self.sign_out.strict,
            feed_listeners=self.feed.listeners,
            second_factor=self.second_factor.required,
            pkce_required=self.pkce_required,
            legacy_response_types=self.legacy_response_types,
            dpop_nonce_required=self.dpop.nonce_required,
            mtls=self.mtls.source != "off",
            mtls_origin=self.mtls.origin,
            authorities=self.mtls.authorities(),
            registration=self.registration.mode,
            registration_quota=self.registration.quota,
            client_documents=self.client_documents.mode,
            client_document_hosts=self.client_documents.hosts,
            unused_client_kept=timedelta(days=self.registration.unused_kept_days),
            token_endpoint_audience=self.registration.token_endpoint_audience,
            status_list_ttl=timedelta(seconds=self.feed.status_list_ttl),
            default_subjects=self.signals.default_subjects,
            stream_pollers=self.signals.pollers,
            loopback_allowed=self.loopback,
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands in: it has already folded file and environment."""
        return (init_settings,)


def load(config: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process, or `SettingsRefused` with one sentence that helps.

    `config` is a TOML file; without it `IDP_CONFIG` names one.
    """
    chosen = config or (Path(environ["IDP_CONFIG"]) if environ.get("IDP_CONFIG") else None)
    tree = read_toml(chosen) if chosen else {}
    private = [chosen] if chosen and SECRETS & tree.keys() else []
    for path, value in from_environment(environ):
        _plant(tree, path, value)
    try:
        settings = Settings(**tree)
    except ValidationError as error:
        raise SettingsRefused("; ".join(_sentence(problem) for problem in error.errors())) from None
    if not settings.loopback:
        refuse_open_files([*private, *files_named(environ)])
    return settings


def _plant(tree: dict[str, Any], path: list[str], value: str) -> None:
    *groups, leaf = path
    for group in groups:
        tree = tree.setdefault(group, {})
    tree[leaf] = _listed(leaf, value)


def _listed(leaf: str, value: str) -> object:
    return [item.strip() for item in value.split(",") if item.strip()] if leaf in LISTS else value


def _sentence(problem: Any) -> str:  # noqa: ANN401 - pydantic's own shape
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        close = difflib.get_close_matches(where, list(_known(Settings)), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return f"there is no setting {where!r}{hint}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def _known(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _known(field.annotation, f"{prefix}{name}.")
