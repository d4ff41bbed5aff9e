"""Spider (Yu et al. 2018, arXiv 1809.08887): questions to databases, split by database."""

from __future__ import annotations

import base64
import hashlib
import re
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import NonNegativeInt, PositiveInt

from mftbench.contract import Example, JsonValue, Metric, Problem, Source
from mftbench.errors import UsageError
from mftbench.sources.location import data_folder
from mftbench.sources.published import DataFile, First, Hub, Published
from mftbench.sources.spider_schema import SERIALISATIONS, Schema

__all__ = ["DEV", "NOT_REBUILT", "SPIDER", "TABLES", "TRAIN", "Question", "database", "spider"]

_SPACES = re.compile(r"""('[^']*'|"[^"]*")|\s+""")


@dataclass(frozen=True)
class Question:
    """One item of dev.json or train_spider.json."""

    db_id: str
    question: str
    query: str

    @property
    def gold(self) -> str:
        """The query without the semicolon and, outside literals, the stray spaces of the file."""
        return _SPACES.sub(lambda found: found[1] or " ", self.query).strip("; ")


SPIDER = Published(
    name="spider",
    licence="CC-BY-SA-4.0",
    citation="Yu et al. 2018, arXiv 1809.08887",
    version="taoyds/spider b7b5b8c",
    notes="questions on databases without rows are left out; with rebuilt databases 972 of dev's"
    " 1,034 remain, which is not comparable with the Spider leaderboard",
)
_RAW = "https://raw.githubusercontent.com"
_EXAMPLES = f"{_RAW}/taoyds/spider/b7b5b8c890cd30e35427348bb9eb8c6d1350ca7c/evaluation_examples"
DEV = DataFile(
    path="spider/dev.json",
    kind=Question,
    sha256="30d64a3fccde493226df79687aed9e4a1c0129525baf44f29c0573d914d758a4",
    count=1034,
    upstream=f"{_EXAMPLES}/examples/dev.json",
    key="",
    hub=Hub("xlangai/spider", splits=("validation",)),
)
TRAIN = DataFile(
    path="spider/train_spider.json",
    kind=Question,
    sha256="a273d9ed660ada641a515cf3c9ec4ef369e2a246142f93a874df6ddda7c9c6dd",
    count=7000,
    upstream=f"{_RAW}/tjhalanigrid/Text2Sql/2a9e09db9bdd0879b81ef3cf0b4a0136a60f027a/data/train_spider.json",
    key="",
    hub=Hub("xlangai/spider", splits=("train",)),
)
TABLES = DataFile(
    path="spider/tables.json",
    kind=Schema,
    sha256="61bb20aa401f03164e2d7f3b16509b7b5f79cc9c943ca7bd159046df1159e2ed",
    count=166,
    upstream=f"{_EXAMPLES}/examples/tables.json",
    key="db_id",
)
DATABASES = "spider/database"
ORIGIN = "yale-lily.github.io/spider"
# Training databases that the rebuilt set lacks (210 questions); Spider's own download has them.
NOT_REBUILT = frozenset({"chinook_1", "soccer_1", "store_1"})
# Training questions whose gold query does not execute, by position in the file.
BROKEN = frozenset({3153, 4513, 4514})

METRICS = (
    Metric("execution"),
    Metric("bird", "mean"),
    Metric("strict", "mean"),
    Metric("exact_set", "mean"),
    Metric("logical_form", "mean"),
    Metric("bleu4", "mean"),
)


def spider(
    *,
    schema: Literal["ddl", "rows", "compact"] = "ddl",
    weak: bool = True,
    train: NonNegativeInt | None = None,
    problems: PositiveInt | None = None,
) -> Source:
    """Open Spider: dev to evaluate on, train to learn from, on databases that have rows.

    ``schema`` is how tables are shown: as definitions, with three sample rows each, or compactly.
    Without ``weak``, questions are left out whose gold returns nothing, a single 0 or NULL.
    ``train`` and ``problems`` take only the first rows.

    Raises UsageError if the files or the databases cannot be had; for a single database that is
    missing, when its first question is read.
    """
    show = _Shown(schema, data_folder(DATABASES, ORIGIN))

    def questions() -> Iterator[Problem]:
        for position, row in enumerate(DEV.rows()):
            if show.has_rows(row.db_id) and (weak or not show.is_weak(row)):
                yield show.problem(f"spider/dev/{position}", row)

    def examples() -> Iterator[Example]:
        for position, row in enumerate(TRAIN.rows()):
            if show.has_rows(row.db_id) and position not in BROKEN:
                yield Example(f"spider/train/{position}", show.ask(row), row.gold)

    return SPIDER.source(
        f"{schema} weak={weak} databases={_digest(show.folder)}",
        (DEV, TRAIN, TABLES),
        train=examples,
        problems=questions,
        first=First(train, problems),
        metrics=METRICS,
    )


@dataclass(frozen=True)
class _Shown:
    """Questions as one serialisation shows them, over the databases of a folder."""

    form: str
    folder: Path

    def ask(self, row: Question) -> str:
        return f"{_shown(self.form, self.folder, _schemas()[row.db_id])}\n-- {row.question}"

    def problem(self, name: str, row: Question) -> Problem:
        schema = _schemas()[row.db_id]
        facts: dict[str, JsonValue] = {
            "query": row.gold,
            "database": _packed(self.folder, row.db_id),
            "rule": "spider",
            "columns": {table: list(columns) for table, columns in schema.columns.items()},
            "foreign_keys": [list(pair) for pair in schema.foreign_key_names],
        }
        return Problem(name, self.ask(row), row.gold, facts)

    def has_rows(self, db_id: str) -> bool:
        path = _path(self.folder, db_id)
        if path.is_file():
            return _has_rows(path)
        if db_id in NOT_REBUILT:
            return False
        raise UsageError(f"{path}: not there, but questions ask it; get it from {ORIGIN}")

    def is_weak(self, row: Question) -> bool:
        with closing(database(_path(self.folder, row.db_id))) as opened:
            rows = opened.execute(row.gold).fetchmany(2)
        return not rows or rows in ([(0,)], [(None,)])


def database(path: Path) -> sqlite3.Connection:
    """Open a database so that nothing can change it, not even its journal."""
    opened = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    opened.text_factory = lambda text: text.decode("utf-8", "replace")
    return opened


def _path(folder: Path, db_id: str) -> Path:
    return folder / db_id / f"{db_id}.sqlite"


@lru_cache(maxsize=1)
def _schemas_of(rows: Sequence[Schema]) -> Mapping[str, Schema]:
    return {row.db_id: row for row in rows}


def _schemas() -> Mapping[str, Schema]:
    return _schemas_of(TABLES.rows())


@lru_cache(maxsize=512)
def _shown(form: str, folder: Path, schema: Schema) -> str:
    def sample(table: str) -> list[tuple[object, ...]]:
        with closing(database(_path(folder, schema.db_id))) as opened:
            return opened.execute(f'SELECT * FROM "{table}" LIMIT 3').fetchall()

    return SERIALISATIONS[form](schema, sample)


@lru_cache(maxsize=512)
def _has_rows(path: Path) -> bool:
    try:
        with closing(database(path)) as opened:
            tables = opened.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
            return any(
                opened.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone() for (name,) in tables
            )
    except sqlite3.Error as error:
        raise UsageError(f"{path}: not a database: {error}") from error


@lru_cache(maxsize=64)
def _packed(folder: Path, db_id: str) -> str:
    """Give a database's bytes as text, compressed: it travels in every program that queries it."""
    return base64.b64encode(zlib.compress(_path(folder, db_id).read_bytes(), 9)).decode("ascii")


def _digest(folder: Path) -> str:
    """Digest all databases: which questions there are, and every answer, depend on them."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*/*.sqlite")):
        digest.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
