"""Run one query on a fresh read-only database and report its rows.

The database is built from the request's schema text, or is the request's own file, compressed and
in base 64; it is then opened anew as immutable. An authorizer allows reading and nothing else; a
progress handler ends what takes too long.
"""

import base64
import json
import math
import os
import sqlite3
import sys
import time
import zlib

sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "python")
)

from session import begin

_DATABASE = "database.sqlite"
_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_DENIED_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"}
_MAX_VALUE_BYTES = 1_000_000
_MAX_RESULT_BYTES = 1_000_000
_SHARE_OF_WALL = 0.8
_STEPS_BETWEEN_LOOKS = 10_000


class TooLong(Exception):
    """The query was interrupted at its deadline."""


def main():
    """Build, query, report."""
    session = begin()
    request = session.request
    deadline = time.monotonic() + _SHARE_OF_WALL * session.limits["wall_s"]
    session.prepare(build, request)
    asked = {"query": request["query"]}
    try:
        detail = query(request["query"], request["max_rows"], deadline)
    except TooLong:
        session.report("timeout", "the query was interrupted", detail=asked)
    except MemoryError:
        session.report("out_of_memory", detail=asked)
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        session.report("error", f"{type(error).__name__}: {error}", detail=asked)
    session.report("passed", checks=1, detail=detail | asked)


def build(request):
    """Make the database file."""
    if "database" in request:
        with open(_DATABASE, "wb") as file:
            file.write(zlib.decompress(base64.b64decode(request["database"])))
        return
    database = sqlite3.connect(_DATABASE)
    database.executescript(request["schema"])
    database.commit()
    database.close()


def query(text, max_rows, deadline):
    """Execute one statement and return columns, rows and whether rows were left out."""
    database = sqlite3.connect(f"file:{_DATABASE}?mode=ro&immutable=1", uri=True)
    database.text_factory = lambda text: text.decode("utf-8", "replace")
    if hasattr(database, "setlimit"):  # Python 3.11
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
    database.set_authorizer(_authorize)
    database.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)
    try:
        cursor = database.execute(text)
        columns = [column[0] for column in cursor.description or ()]
        rows, truncated = _fetch(cursor, max_rows)
    except sqlite3.OperationalError as error:
        if time.monotonic() > deadline and "interrupted" in str(error):
            raise TooLong from None
        raise
    if not columns:
        raise ValueError("not a query: it has no columns")
    return {"columns": columns, "rows": rows, "truncated": truncated}


def _fetch(cursor, max_rows):
    rows, size = [], 0
    for row in cursor:
        carried = [_carry(value) for value in row]
        size += len(json.dumps(carried))
        if len(rows) >= max_rows or size > _MAX_RESULT_BYTES:
            return rows, True
        rows.append(carried)
    return rows, False


def _carry(value):
    """Make a value JSON: bytes and non-finite numbers are objects that name themselves."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    return value


def _authorize(action, first, second, _database, _trigger):
    if action not in _ALLOWED:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _DENIED_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


if __name__ == "__main__":
    main()
