"""How the study's own evaluation asks for a completion: a line that names the language first.

After codefuse-evaluation 09a4f2a, ``util.py`` and ``processor/codefusellama34b.py``, confirmed by
the authors in MFTCoder issue 3. The role tags around it are a study's ``format``.
"""

from __future__ import annotations

from typing import Literal

from mftbench.contract import Prompt
from mftbench.formats import TURN_ENDS
from mftbench.languages import Language

__all__ = ["Asking", "study_prompt"]

Asking = Literal["standard", "mftcoder"]

_TAGS = {
    "python": "# language: Python",
    "java": "// language: Java",
    "cpp": "// language: C++",
    "javascript": "// language: JavaScript",
    "go": "// language: Go",
    "rust": "// language: Rust",
}


def study_prompt(language: Language) -> Prompt:
    """Ask as the study does. An answer may be a whole function, so only a new turn ends it."""
    return Prompt(
        template=f"{_TAGS[language.name]}\n{{prompt}}\n",
        stop=TURN_ENDS,
        max_new_tokens=512,
    )
