"""Queries that write, look elsewhere or never end: V19 to V21 and R14."""

from __future__ import annotations

from mftbench.contract import Outcome
from mftbench.sandbox.attacks.attack import Attack, attack

SCHEMA = "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, NULL);"
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def _query(id: str, text: str, *expected: Outcome) -> Attack:
    return attack(id, text, *expected, kind="sql")


SQL = (
    _query("V19-delete", "DELETE FROM t", Outcome.ERROR),
    _query("V19-drop", "DROP TABLE t", Outcome.ERROR),
    _query("V19-update", "UPDATE t SET a = 0", Outcome.ERROR),
    _query("V20-attach", "ATTACH 'other' AS other", Outcome.ERROR),
    _query("V20-vacuum", "VACUUM INTO 'other'", Outcome.ERROR),
    _query("V20-pragma", "PRAGMA writable_schema = 1", Outcome.ERROR),
    _query("V20-extension", "SELECT load_extension('x')", Outcome.ERROR),
    _query("V20-two-statements", "SELECT 1; SELECT 2", Outcome.ERROR),
    _query("V21-right", "SELECT a, b FROM t ORDER BY a", Outcome.PASSED),
    _query("R14-endless-recursion", _NUMBERS, Outcome.TIMEOUT),
    _query(
        "R14-cartesian-product",
        f"WITH m AS ({_NUMBERS.replace('count(*)', 'i')} LIMIT 100000)"
        " SELECT count(*) FROM m a, m b, m c",
        Outcome.TIMEOUT,
    ),
    _query("R2-huge-value", "SELECT zeroblob(1000000000)", Outcome.ERROR),
)
