"""`idp resource details`: which authorization details an API knows (RFC 9396)."""

import json
from pathlib import Path

import click

from idp.cli.frame import at_desk, json_option, refuse, show_one


@click.command("details")
@click.argument("identifier")
@click.argument(
    "types", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False
)
@json_option
def details(identifier: str, types: Path | None, as_json: bool) -> None:
    """Describe the types of authorization details of an API, from a JSON file, or show them.

    Example: idp resource details https://api.example.com payments.json
    """
    with at_desk() as desk:
        try:
            row = desk.op.resources.find(identifier)
            if types is not None:
                row = desk.op.resources.describe(identifier, _read(types))
                desk.op.events.record(
                    "ResourceDescribed", desk.now, resource=identifier, by="operator"
                )
        except ValueError as error:
            raise refuse(str(error)) from None
        if row is None:
            raise refuse(f"there is no API {identifier!r}")
        desk.commit()
        show_one({"identifier": identifier, "details": row.detail_types or {}}, as_json=as_json)


def _read(path: Path) -> dict[str, object]:
    found = json.loads(path.read_text())
    if not isinstance(found, dict):
        raise ValueError(f"{path} is not a JSON object")
    return found
