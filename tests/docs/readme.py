"""The fenced blocks of README.md, found by what they begin with, and fitted to a test."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """One snippet of the README."""

    language: str
    text: str

    def fitted(self, changes: dict[str, str]) -> str:
        """With a test's own addresses and credentials; each must be there to be replaced."""
        text = self.text
        for told, ours in changes.items():
            assert told in text, f"the README does not say {told!r} here"
            text = text.replace(told, ours)
        return text


def blocks() -> list[Block]:
    """Every snippet, in order."""
    return [Block(*found) for found in FENCE.findall((ROOT / "README.md").read_text())]


# What each snippet is known by: the one of its language that has these words in it.
KNOWN = {
    "demo": ("sh", "make demo"),
    "test": ("sh", "make test"),
    "add": ("sh", "idp account add"),
    "python": ("python", "authlib"),
    "node": ("js", "openid-client"),
    "apache": ("apache", "OIDCProviderMetadataURL"),
    "resource": ("sh", "idp resource add"),
    "guard": ("python", "FlaskGuard"),
    "production": ("sh", "config/production.toml"),
}


def block(name: str) -> Block:
    """The snippet known by this name; it is an error if there is none, or more than one."""
    language, words = KNOWN[name]
    found = [b for b in blocks() if b.language == language and words in b.text]
    assert len(found) == 1, f"{len(found)} snippets of the README are {name!r}"
    return found[0]
