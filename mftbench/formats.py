"""Prompt formats, as data: how a prompt is dressed for a model, in training and inference.

Only the completion and the end-of-text token are supervised. Prompt and completion are tokenised
apart, so that the prompt's tokens in training are exactly those that inference starts from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mftbench.errors import UsageError, unknown

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CHAT = "chat"
TEMPLATES = {
    "plain": "{prompt}",
    "mftcoder": "<s>human\n{prompt}\n<s>bot\n",
    "mftcoder-v1": "<|role_start|>human<|role_end|>{prompt}<|role_start|>bot<|role_end|>",
}
FORMATS = (*TEMPLATES, CHAT)


@dataclass(frozen=True)
class Encoded:
    """Token ids of prompt, completion and end-of-text; ``prompt_length`` of them are the prompt."""

    input_ids: list[int]
    prompt_length: int


def render_prompt(format: str, prompt: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """Dress a prompt in a format; ``chat`` is the tokenizer's own template.

    Raises UsageError for an unknown format, or for ``chat`` where the tokenizer has no template.
    """
    if format == CHAT:
        return _chat(prompt, tokenizer)
    if format not in TEMPLATES:
        raise unknown("format", format, FORMATS)
    head, _, tail = TEMPLATES[format].partition("{prompt}")
    return head + prompt + tail


def encode(
    format: str, prompt: str, completion: str, tokenizer: PreTrainedTokenizerBase
) -> Encoded:
    """Tokenise one supervised pair, adding no special token but the format's own and end-of-text.

    Raises UsageError as ``render_prompt``, and for a tokenizer without an end-of-text token.
    """
    return encode_all(format, [(prompt, completion)], tokenizer)[0]


def encode_all(
    format: str, pairs: Iterable[tuple[str, str]], tokenizer: PreTrainedTokenizerBase
) -> list[Encoded]:
    """Tokenise many pairs at once: as ``encode`` on each, and several times faster."""
    end = tokenizer.eos_token_id
    if not isinstance(end, int):
        raise UsageError(
            f"tokenizer {tokenizer.name_or_path!r} has no end-of-text token; set its eos_token"
        )
    pairs = list(pairs)
    prompts = _tokens([render_prompt(format, prompt, tokenizer) for prompt, _ in pairs], tokenizer)
    completions = _tokens([completion for _, completion in pairs], tokenizer)
    return [
        Encoded([*head, *tail, end], len(head))
        for head, tail in zip(prompts, completions, strict=True)
    ]


def _tokens(texts: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    if not texts:
        return []
    # verbose=False: rows longer than the model's window are counted later, not warned about here.
    ids: list[list[int]] = tokenizer(list(texts), add_special_tokens=False, verbose=False).input_ids
    return ids


def _chat(prompt: str, tokenizer: PreTrainedTokenizerBase) -> str:
    if not tokenizer.chat_template:
        raise UsageError(
            f"tokenizer {tokenizer.name_or_path!r} has no chat template; "
            f"choose another format: {', '.join(TEMPLATES)}"
        )
    messages = [{"role": "user", "content": prompt}]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return str(text)
