"""Every published data set that ships with the package as a source, with its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mftbench.sources import code_trans, eval_plus, human_eval, human_eval_x, leetcode, mbpp, mbxp
from mftbench.sources import spider as spider_files
from mftbench.sources.published import DataFile, Published

__all__ = ["CATALOGUE", "Entry"]


@dataclass(frozen=True)
class Entry:
    """A data set and its files. ``extra`` says what no command can fetch."""

    about: Published
    files: tuple[DataFile[Any], ...]
    extra: str = ""


CATALOGUE: Mapping[str, Entry] = {
    "humaneval": Entry(human_eval.HUMAN_EVAL, (human_eval.FILE,)),
    "humanevalplus": Entry(
        eval_plus.HUMAN_EVAL_PLUS, tuple(eval_plus.HUMAN_EVAL_PLUS_FILES.values())
    ),
    "humanevalx": Entry(human_eval_x.HUMAN_EVAL_X, tuple(human_eval_x.X_FILES.values())),
    "codefuse": Entry(human_eval_x.CODEFUSE, tuple(human_eval_x.CODEFUSE_FILES.values())),
    "codetrans": Entry(code_trans.CODE_TRANS, tuple(code_trans.FILES.values())),
    "mbpp": Entry(mbpp.MBPP, (mbpp.FILE,)),
    "mbppplus": Entry(eval_plus.MBPP_PLUS, tuple(eval_plus.MBPP_PLUS_FILES.values())),
    "mbxp": Entry(mbxp.MBXP, tuple(mbxp.FILES.values())),
    "leetcode": Entry(leetcode.LEETCODE, (leetcode.FILE,)),
    "spider": Entry(
        spider_files.SPIDER,
        (spider_files.DEV, spider_files.TRAIN, spider_files.TABLES),
        extra="the databases come with Spider's own download, yale-lily.github.io/spider: put them"
        f" to {spider_files.DATABASES}/<db_id>/<db_id>.sqlite",
    ),
}
