"""Prompt formats, as data: how a prompt is dressed for a model, in training and inference.

Only the completion and the end-of-text token are supervised. Prompt and completion are tokenised
apart, so that the prompt's tokens in training are exactly those that inference starts from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

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
PLAIN = "plain"
TURN_ENDS = ("<|role_start|>", "\n<s>human", "<|endoftext|>")
# What ends an answer in any format: a new turn, and the mark that MBPP's own prompt teaches.
_ANSWER_ENDS = (*TURN_ENDS, "[DONE]")
# How the templates with role markers write a system turn.
_MARKERS = {
    "mftcoder": "<s>system\n{content}\n",
    "mftcoder-v1": "<|role_start|>system<|role_end|>{content}",
}


@dataclass(frozen=True)
class Turn:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Encoded:
    """Token ids of prompt, completion and end-of-text; ``prompt_length`` of them are the prompt."""

    input_ids: list[int]
    prompt_length: int


def stops(format: str, sequences: Sequence[str]) -> tuple[str, ...]:
    """Give the stop sequences that end an answer in a format.

    Most of a prompt's say where a text that goes on from it would begin something else. An answer
    in a conversation begins anew: it may repeat imports or open a fence, and extraction finds its
    end.
    """
    if format == PLAIN:
        return tuple(sequences)
    return tuple(each for each in sequences if each in _ANSWER_ENDS)


def render_prompt(format: str, prompt: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """Dress a prompt in a format; ``chat`` is the tokenizer's own template.

    Raises UsageError for an unknown format, or for ``chat`` where the tokenizer has no template.
    """
    if format == CHAT:
        return _chat([Turn("user", prompt)], tokenizer)
    if format not in TEMPLATES:
        raise unknown("format", format, FORMATS)
    head, _, tail = TEMPLATES[format].partition("{prompt}")
    return head + prompt + tail


def render_conversation(format: str, turns: Sequence[Turn], tokenizer: Any) -> str:
    """Dress a conversation that ends with the user's turn; one turn is as ``render_prompt`` of it.

    The mftcoder formats end each earlier answer with the end-of-text token, as MFTCoder does; plain
    ones are joined by empty lines.

    Raises UsageError as ``render_prompt``.
    """
    if format == CHAT:
        return _chat(turns, tokenizer)
    texts = []
    for turn in turns:
        if turn.role == "user":
            texts.append(render_prompt(format, turn.content, tokenizer))
        elif turn.role == "assistant":
            end = tokenizer.eos_token if format in _MARKERS else "\n"
            texts.append(f"{turn.content}{end}\n")
        else:
            texts.append(_MARKERS.get(format, "{content}\n\n").replace("{content}", turn.content))
    return "".join(texts)


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
    completions = _continuations([completion for _, completion in pairs], tokenizer)
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


def _continuations(texts: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    """Tokenise texts that follow another one.

    sentencepiece's tokenizers put a space before a text of its own, but not behind an anchor: what
    follows the anchor's tokens are the text's. An anchor that melts into the text is no good;
    a text that melts into all of them keeps the space.
    """
    rows = _tokens(texts, tokenizer)
    if not _spaces(_tokens(["a"], tokenizer)[0], tokenizer):
        return rows
    wanted = [len(text) - len(text.lstrip(" ")) for text in texts]
    for anchor in (tokenizer.eos_token, "\n", "0", "}"):
        (head,) = _tokens([anchor], tokenizer)
        anchored = _tokens([anchor + text for text in texts], tokenizer)
        for index, ids in enumerate(anchored):
            tail = ids[len(head) :]
            wrong = _spaces(rows[index], tokenizer) != wanted[index]
            if wrong and ids[: len(head)] == head and _spaces(tail, tokenizer) == wanted[index]:
                rows[index] = tail
    return rows


_SPACES = "\u2581\u0120"  # how sentencepiece and byte-level BPE write a space


def _spaces(ids: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> int:
    """Count the spaces that tokens begin with."""
    count = 0
    for token in tokenizer.convert_ids_to_tokens(list(ids)):
        rest = str(token).lstrip(_SPACES)
        count += len(str(token)) - len(rest)
        if rest:
            break
    return count


def _chat(turns: Sequence[Turn], tokenizer: PreTrainedTokenizerBase) -> str:
    if not tokenizer.chat_template:
        raise UsageError(
            f"tokenizer {tokenizer.name_or_path!r} has no chat template; "
            f"choose another format: {', '.join(TEMPLATES)}"
        )
    messages = [{"role": turn.role, "content": turn.content} for turn in turns]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return str(text)
