"""How things are called when we speak to a person: moments, browsers, apps."""

import re
from datetime import datetime
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_timedelta
from flask import g
from flask_babel import get_locale

from idp.domain.client_documents import is_address
from idp.domain.clients import ClientView
from idp.web.language import gettext
from idp.web.wire import now, provider

JUST_NOW = 45

SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
BROWSERS = (
    ("Edge", re.compile(r"Edg(?:e|A|iOS)?/(\d+)")),
    ("Opera", re.compile(r"OPR/(\d+)")),
    ("Samsung Internet", re.compile(r"SamsungBrowser/(\d+)")),
    ("Firefox", re.compile(r"(?:Firefox|FxiOS)/(\d+)")),
    ("Chrome", re.compile(r"(?:Chrome|CriOS)/(\d+)")),
    ("Safari", re.compile(r"Version/(\d+)[\d.]* (?:Mobile/\S+ )?Safari/")),
)


def ago(moment: datetime) -> str:
    """A moment as one would say it."""
    passed = now() - moment
    if abs(passed.total_seconds()) < JUST_NOW:
        return gettext("just now")
    return format_timedelta(-passed, add_direction=True, locale=get_locale())


def exactly(moment: datetime) -> str:
    """A moment to the second, in the person's time zone, which is named."""
    zone, locale = ZoneInfo(g.get("zone", "UTC")), get_locale()
    said = format_datetime(moment, "medium", tzinfo=zone, locale=locale)
    named = "UTC"
    if zone.key != named:
        named = format_datetime(moment, "ZZZZ", tzinfo=zone, locale=locale)
    return f"{said} {named}"


def device(user_agent: str) -> str:
    """A browser and a system in words a person knows."""
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    for name, pattern in BROWSERS:
        found = pattern.search(user_agent)
        if found is not None:
            browser = f"{name} {found.group(1)}"
            if not system:
                return browser
            return gettext("%(browser)s on %(system)s", browser=browser, system=system)
    if system:
        return gettext("A browser on %(system)s", system=system)
    return gettext("A browser we do not know")


def client_name(client: ClientView) -> str:
    """What an app calls itself, in the person's language if it says so (RFC 7591 section 2.2)."""
    localised = client.details.get(f"client_name#{get_locale()}")
    return str(localised or client.name)


def host(address: str) -> str:
    """The part of an address that an app cannot make up; a native app has only its scheme."""
    parts = urlsplit(address)
    return parts.netloc or parts.scheme


def home(client: ClientView, way_back: str) -> str:
    """Where an app lives: at the address it describes itself at, else where people go back to."""
    return host(client.client_id if is_address(client.client_id) else way_back)


def lands_here(client: ClientView, way_back: str) -> bool:
    """Whether whatever program listens on the person's own machine would get the answer of an
    app that nobody has registered.
    """
    here = urlsplit(way_back).hostname in ("localhost", "127.0.0.1", "::1")
    return here and is_address(client.client_id)


def client_host(client: ClientView) -> str:
    """Where an app lives."""
    return home(client, client.redirect_uris[0]) if client.redirect_uris else ""


def client_logo(client: ClientView) -> str:
    """Where an app's picture is, at our own address; empty where there is none."""
    if not provider().clients.logos.to_show(client, now()):
        return ""
    return f"/logo?{urlencode({'client_id': client.client_id, 'v': client.version})}"
