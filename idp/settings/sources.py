"""Where settings come from: a TOML file, the environment, and the files it names."""

import stat
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

PREFIX = "IDP_"
OTHERS = stat.S_IROTH | stat.S_IWOTH


class SettingsRefused(ValueError):
    """The settings cannot be used; the message says which, why, and what to do."""


def read_toml(path: Path) -> dict[str, Any]:
    """The tree of settings in a file."""
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise SettingsRefused(f"the settings file {path} does not exist") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsRefused(f"the settings file {path} is not TOML: {error}") from None


def from_environment(environ: Mapping[str, str]) -> Iterator[tuple[list[str], str]]:
    """Each `IDP_*` variable as a path into the tree; `IDP_*_FILE` names a file that holds it."""
    for name, value in sorted(environ.items()):
        if not name.startswith(PREFIX) or name == "IDP_CONFIG":
            continue
        key = name.removeprefix(PREFIX).lower()
        if key.endswith("_file"):
            yield key.removesuffix("_file").split("__"), _read_secret(name, Path(value))
        else:
            yield key.split("__"), value


def _read_secret(name: str, path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise SettingsRefused(f"{name} names {path}, which cannot be read: {error}") from None


def files_named(environ: Mapping[str, str]) -> Iterator[Path]:
    """The files that hold a setting each."""
    for name, value in environ.items():
        if name.startswith(PREFIX) and name.endswith("_FILE"):
            yield Path(value)


def refuse_open_files(paths: Iterable[Path]) -> None:
    """A secret that everybody on this machine may read is none (KEY-06).

    What a container runtime mounts as a single file has the mode the runtime gives it, and
    nobody else is in the container.
    """
    for path in paths:
        if path.stat().st_mode & OTHERS and not path.is_mount():
            raise SettingsRefused(
                f"everybody on this machine may read or change {path}; run `chmod o-rw {path}`"
            )
