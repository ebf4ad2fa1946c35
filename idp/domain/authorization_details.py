"""Types of authorization details (RFC 9396): what an API lets be asked for that no scope can
say, described by the operator, so that it can be checked field by field and shown to a person.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

KINDS = ("text", "texts", "number", "flag", "object", "objects")
NAME = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,255}")
COMMON = frozenset({"type", "locations"})
LONGEST_TEXT = 1000
MOST_ITEMS = 50
MOST_FIELDS = 50
DEEPEST = 4
LATEST = 2**53


class Unfit(ValueError):
    """Details that are not of the type they say. The sentence repeats nothing of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a type: what it holds, and what it is called before people."""

    kind: str
    words: str
    required: bool = False
    among: tuple[str, ...] = ()
    fields: Mapping[str, "Field"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailType:
    """A type of details, and the API it belongs to."""

    name: str
    api: str
    words: str
    fields: Mapping[str, Field]

    def check(self, detail: Mapping[str, Any]) -> None:
        """Nothing but what was described, and all that is required (section 5); else `Unfit`."""
        locations = detail.get("locations", [self.api])
        if not isinstance(locations, list) or locations != [self.api]:
            raise Unfit("the details are for another API")
        own = {name: value for name, value in detail.items() if name not in COMMON}
        _check_fields(own, self.fields)

    def shown(self, detail: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Every value with the words for it, in the order they were described: a person cannot
        allow what they were not shown.
        """
        return list(_shown(detail, self.fields, ""))


def described(name: str, given: object, api: str) -> DetailType:
    """A type as an operator describes it; raises ValueError with a sentence for anything else."""
    if not NAME.fullmatch(name):
        raise ValueError("a type is named by printable ASCII characters without spaces")
    if not isinstance(given, dict) or set(given) - {"words", "fields"}:
        raise ValueError(f"{name} has words and fields, and no more")
    fields = _described_fields(name, given.get("fields", {}), 1)
    if set(fields) & COMMON:
        raise ValueError(f"{name} must not describe type or locations: every type has them")
    return DetailType(name=name, api=api, words=_words(name, given.get("words")), fields=fields)


def _described_fields(where: str, given: object, depth: int) -> dict[str, Field]:
    if not isinstance(given, dict) or len(given) > MOST_FIELDS:
        raise ValueError(f"the fields of {where} are an object of at most {MOST_FIELDS}")
    if depth > DEEPEST:
        raise ValueError(f"{where} lies too deep")
    return {name: _field(f"{where}.{name}", about, depth) for name, about in given.items()}


def _field(where: str, about: object, depth: int) -> Field:
    if not isinstance(about, dict) or about.get("kind") not in KINDS:
        raise ValueError(f"{where} is none of the kinds {', '.join(KINDS)}")
    if set(about) - {"kind", "words", "required", "among", "fields"}:
        raise ValueError(f"{where} has members nobody knows")
    among = about.get("among", [])
    if not isinstance(among, list) or not all(isinstance(item, str) for item in among):
        raise ValueError(f"{where}.among is a list of texts")
    if among and about["kind"] not in ("text", "texts"):
        raise ValueError(f"{where} is no text and cannot be among some")
    if ("fields" in about) != (about["kind"] in ("object", "objects")):
        raise ValueError(f"{where} has fields if it is an object, and only then")
    if not isinstance(about.get("required", False), bool):
        raise ValueError(f"{where}.required is true or false")
    return Field(
        kind=about["kind"],
        words=_words(where, about.get("words")),
        required=about.get("required", False),
        among=tuple(among),
        fields=_described_fields(where, about.get("fields", {}), depth + 1),
    )


def _words(where: str, words: object) -> str:
    if not isinstance(words, str) or not words or not words.isprintable():
        raise ValueError(f"{where} has no words that can be shown to people")
    return words


def _check_fields(given: Mapping[str, Any], fields: Mapping[str, Field]) -> None:
    if set(given) - set(fields):
        raise Unfit("the details have a field that their type does not")
    for name, field in fields.items():
        if name in given:
            _check(given[name], field)
        elif field.required:
            raise Unfit("the details lack a field that their type requires")


def _check(value: object, field: Field) -> None:
    """One value, or a list of them, against what was described."""
    if field.kind not in ("texts", "objects"):
        _check_one(value, field)
        return
    if not isinstance(value, list) or len(value) > MOST_ITEMS:
        raise Unfit("the details have a list that is none, or too long")
    for item in value:
        _check_one(item, field)


def _check_one(value: object, field: Field) -> None:
    match field.kind, value:
        case (("text" | "texts"), str()):
            _check_text(value, field)
        case (("object" | "objects"), dict()):
            _check_fields(value, field.fields)
        case "number", int() | float() if not isinstance(value, bool) and abs(value) < LATEST:
            pass
        case "flag", bool():
            pass
        case _:
            raise Unfit("the details have a field of another kind than their type")


def _check_text(value: str, field: Field) -> None:
    """Text that a page can show as it is: without line breaks, and nothing that turns it round."""
    if len(value) > LONGEST_TEXT or not value.isprintable():
        raise Unfit("the details have a text that cannot be shown")
    if field.among and value not in field.among:
        raise Unfit("the details have a value that their type does not allow")


def _shown(
    given: Mapping[str, Any], fields: Mapping[str, Field], under: str
) -> Iterator[tuple[str, str]]:
    for name, field in fields.items():
        if name not in given:
            continue
        value, words = given[name], f"{under}{field.words}"
        if field.kind == "object":
            yield from _shown(value, field.fields, f"{words}: ")
        elif field.kind == "objects":
            for number, item in enumerate(value, 1):
                yield from _shown(item, field.fields, f"{words} {number}: ")
        else:
            yield words, _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "\N{CHECK MARK}" if value else "\N{EN DASH}"
    return ", ".join(value) if isinstance(value, list) else str(value)
