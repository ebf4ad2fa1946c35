"""Statements of the hot path, built once for all requests.

SQLAlchemy says what a statement is called in the words of the database at hand, how values go
in and how they come out; that is kept, and a request asks the driver itself. Everything else
about the connection (the pool, the transaction, what an error is) stays SQLAlchemy's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ClauseElement, Connection, Dialect, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Spelled:
    """A statement in the words of one database."""

    text: str
    names: tuple[str, ...]
    fixed: Mapping[str, object]
    into: Mapping[str, Convert]
    positional: bool
    row: Callable[[Sequence[Any]], Any]

    def values(self, given: Mapping[str, object]) -> Any:  # noqa: ANN401 - what the driver takes
        """The values as the driver takes them: in their order, or by name."""
        every = {**self.fixed, **given}
        for name, convert in self.into.items():
            every[name] = convert(every[name])
        return [every[name] for name in self.names] if self.positional else every


class Prebuilt:
    """One statement without lists of unknown length in it; its parameters have names."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._spelled: dict[str, _Spelled] = {}

    def rows(self, connection: Connection, given: Mapping[str, object]) -> list[Any]:
        """What is found, each with the names of its columns."""
        spelled, cursor = self._ask(connection, given)
        try:
            return [spelled.row(row) for row in cursor.fetchall()]
        finally:
            cursor.close()

    def change(self, connection: Connection, given: Mapping[str, object]) -> int:
        """How many rows it changed."""
        _, cursor = self._ask(connection, given)
        try:
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def _ask(self, connection: Connection, given: Mapping[str, object]) -> tuple[_Spelled, Any]:
        dialect = connection.dialect
        spelled = self._spelled.get(dialect.name)
        if spelled is None:
            spelled = self._spelled[dialect.name] = _spell(self._statement, dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(spelled.text, spelled.values(given))
        except Exception as error:
            cursor.close()
            raise _translated(error, spelled.text, connection) from error
        return spelled, cursor


def driven(connection: Connection, act: Callable[[Any], object], said: str) -> None:
    """Have the driver's own connection do something; `said` names it in the log if it fails."""
    try:
        act(connection.connection.driver_connection)
    except Exception as error:
        raise _translated(error, said, connection) from error


def _spell(statement: ClauseElement, dialect: Dialect) -> _Spelled:
    compiled = statement.compile(dialect=dialect)
    if not isinstance(compiled, SQLCompiler):
        raise TypeError("only statements that ask or write can be prebuilt")
    into = {
        name: convert
        for name, bind in compiled.binds.items()
        if (convert := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
    }
    fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
    columns = statement.selected_columns if isinstance(statement, Select) else ()
    return _Spelled(
        text=str(compiled),
        names=tuple(compiled.positiontup or compiled.binds),
        fixed=fixed,
        into=into,
        positional=compiled.positional,
        row=_reader([(str(column.key), column.type) for column in columns], dialect),
    )


def _reader(columns: list[tuple[str, Any]], dialect: Dialect) -> Callable[[Sequence[Any]], Any]:
    """Makes rows with names of what the driver hands over."""
    made = NamedTuple("Row", [(name, Any) for name, _ in columns])._make
    found = [type_.dialect_impl(dialect).result_processor(dialect, None) for _, type_ in columns]
    converts = [(place, convert) for place, convert in enumerate(found) if convert is not None]

    def read(row: Sequence[Any]) -> Any:  # noqa: ANN401 - a row of whatever was asked
        values = list(row)
        for place, convert in converts:
            values[place] = convert(values[place])
        return made(values)

    return read


def _translated(error: Exception, text: str, connection: Connection) -> Exception:
    """The driver's error as SQLAlchemy's. When the server is gone, so are all connections."""
    dialect, driver = connection.dialect, connection.connection.driver_connection
    kind = dialect.loaded_dbapi.Error
    if not isinstance(error, kind):
        return error
    lost = dialect.is_disconnect(error, driver, None)
    if lost:
        connection.invalidate(error)
        connection.engine.dispose()
    made = DBAPIError.instance(
        text, None, error, kind, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    )
    return made if isinstance(made, Exception) else error
