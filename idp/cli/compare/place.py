"""Where the comparison happens: the same kind of database and Redis that the configuration
names, but none of their data. Everything that is made here is thrown away at the end.
"""

import os
import platform
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import redis
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from idp.settings import Settings

OURS = ("ISSUER", "PORT", "SECRET", "DATA_DIR", "DATABASE_URL", "REDIS_URL", "METRICS_TOKEN")
REDIS_DATABASES = 16
PATIENCE = 2


class NoPlace(Exception):
    """There is nowhere to compare; the sentence says what is missing."""


@dataclass(frozen=True, slots=True)
class Place:
    """A database and, where one is configured, a part of a Redis, both empty."""

    folder: Path
    database_url: str
    redis_url: str
    database: str
    """What kind of database it is, for people."""

    def environ(self, base: Mapping[str, str], port: int) -> dict[str, str]:
        """The environment of a provider at this place: the configuration, but for the data.

        No policies beyond those that are compared: whoever names none has none here.
        """
        ours = {f"IDP_{name}" for name in OURS}
        kept = {k: v for k, v in base.items() if k.removesuffix("_FILE") not in ours}
        return kept | {
            "IDP_ISSUER": f"http://localhost:{port}",
            "IDP_PORT": str(port),
            "IDP_SECRET": secrets.token_urlsafe(48),
            "IDP_DATA_DIR": str(self.folder),
            "IDP_DATABASE_URL": self.database_url,
            "IDP_REDIS_URL": self.redis_url,
            "IDP_METRICS_TOKEN": "",
            "IDP_POLICIES__RESOURCE": "",
            "IDP_POLICIES__CLIENT": "",
            "IDP_WORKER__EMBEDDED": "true",
            "IDP_SERVER__HOST": "127.0.0.1",
            "IDP_SERVER__TRUSTED_PROXIES": "1",  # people come from many addresses
            "IDP_SERVER__PROXY_NETWORKS": "127.0.0.0/8,::1/128",
        }


@contextmanager
def place(settings: Settings, folder: Path) -> Iterator[Place]:
    """An empty place until the end of the block; raises `NoPlace`."""
    with _database(settings) as (url, kind), _part_of_redis(settings.redis_url) as redis_url:
        yield Place(folder, url, redis_url, kind)


@contextmanager
def _database(settings: Settings) -> Iterator[tuple[str, str]]:
    """A file in the folder, or a database of its own on the server that is configured."""
    url = settings.effective_database_url
    if url.startswith("sqlite"):
        yield "", f"SQLite {sqlite3.sqlite_version}"
        return
    name = f"idp_compare_{os.getpid()}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            version = str(connection.execute(text("SHOW server_version")).scalar_one())
            connection.execute(text(f'CREATE DATABASE "{name}"'))
    except SQLAlchemyError as error:
        raise NoPlace(f"no database can be made for the comparison: {error}") from None
    try:
        own = make_url(url).set(database=name).render_as_string(hide_password=False)
        yield own, f"PostgreSQL {version.split(maxsplit=1)[0]}"
    finally:
        with engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        engine.dispose()


@contextmanager
def _part_of_redis(url: str) -> Iterator[str]:
    """The last numbered database of the Redis that is empty."""
    if not url:
        yield ""
        return
    parts = urlsplit(url)
    for number in range(REDIS_DATABASES - 1, 0, -1):
        own = urlunsplit(parts._replace(path=f"/{number}"))
        with redis.Redis.from_url(own, socket_timeout=PATIENCE) as client:
            try:
                if client.dbsize() != 0:
                    continue
                client.set("idp:compare", os.getpid())
            except redis.RedisError as error:
                raise NoPlace(f"the Redis of the configuration does not answer: {error}") from None
            try:
                yield own
            finally:
                client.flushdb()
            return
    raise NoPlace("no numbered database of the Redis is empty; one is needed for the comparison")


def cores() -> int:
    """How many processors may be used."""
    return len(os.sched_getaffinity(0)) if platform.system() == "Linux" else os.cpu_count() or 1
