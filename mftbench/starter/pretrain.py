"""Pre-trains the nano model: ``python -m mftbench.starter.pretrain`` makes what we ship."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

import torch
import typer
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    get_linear_schedule_with_warmup,
)

from mftbench.starter.corpus import documents
from mftbench.starter.suite import VERSION
from mftbench.starter.tokens import BEGIN, END, train_tokenizer

NANO = Path(__file__).parent / "nano"
_SORTED_BATCHES = 16  # so many batches are sorted by length together, to pad little


class Batch(NamedTuple):
    """Token ids and labels, shape (rows, width). Padding is on the right and never a label."""

    ids: torch.Tensor
    labels: torch.Tensor


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, up to the arithmetic of the machine.

    One step sees ``batch`` documents. Matrix products run in bfloat16, weights and optimizer in
    float32.
    """

    seed: int = 2311
    steps: int = 2200
    batch: int = 32
    context: int = 512
    lr: float = 3e-3
    lr_matrices: float = 5e-3
    warmup: int = 30
    weight_decay: float = 0.05
    hidden: int = 256
    layers: int = 4
    heads: int = 4
    feed_forward: int = 704
    tokenizer_documents: int = 20_000
    threads: int = 2
    grammar: int = VERSION


def make_tokenizer(recipe: Recipe) -> PreTrainedTokenizerFast:
    """Train the tokenizer on the first documents of the corpus."""
    texts = islice(documents(recipe.seed), recipe.tokenizer_documents)
    return train_tokenizer(texts, recipe.context)


def batches(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> Iterator[Batch]:
    """Pad documents of similar length into batches, without end.

    One document a row: in packed rows, where a token sees other documents too, the model learnt to
    copy from its own far later.
    """
    texts = documents(recipe.seed)
    order = Random(recipe.seed)
    while True:
        drawn = [f"{BEGIN}{text}{END}" for text in islice(texts, recipe.batch * _SORTED_BATCHES)]
        rows = sorted(tokenizer(drawn)["input_ids"], key=len)
        groups = [rows[at : at + recipe.batch] for at in range(0, len(rows), recipe.batch)]
        order.shuffle(groups)
        yield from (_padded(group, recipe.context) for group in groups)


def _padded(rows: list[list[int]], context: int) -> Batch:
    width = min(max(map(len, rows)), context)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    labels = torch.full_like(ids, -100)
    for at, row in enumerate(rows):
        kept = torch.tensor(row[:width])
        ids[at, : len(kept)] = labels[at, : len(kept)] = kept
    return Batch(ids, labels)


def make_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """Make the untrained model."""
    torch.manual_seed(recipe.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        intermediate_size=recipe.feed_forward,
        max_position_embeddings=recipe.context,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config)  # type: ignore[no-untyped-call]
    model.set_attn_implementation("eager")  # a fifth faster than sdpa here, on short rows
    return model


def optimizers(recipe: Recipe, model: LlamaForCausalLM) -> list[torch.optim.Optimizer]:
    """Make Muon for the layers' matrices, and AdamW for embeddings and norms.

    Muon (https://kellerjordan.github.io/posts/muon) reached AdamW's loss here in about six tenths
    of the tokens.
    """
    matrices = [p for name, p in model.named_parameters() if "proj" in name]
    rest = [p for name, p in model.named_parameters() if "proj" not in name]
    return [
        torch.optim.Muon(
            matrices,
            lr=recipe.lr_matrices,
            weight_decay=recipe.weight_decay,
            adjust_lr_fn="match_rms_adamw",
        ),
        torch.optim.AdamW(rest, lr=recipe.lr, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def train(recipe: Recipe, model: LlamaForCausalLM, data: Iterator[Batch]) -> Iterator[float]:
    """Train the model in place, a step at a time; give each step's loss in nats per token."""
    movers = optimizers(recipe, model)
    schedules = [
        get_linear_schedule_with_warmup(mover, recipe.warmup, recipe.steps)  # type: ignore[no-untyped-call]
        for mover in movers
    ]
    model.train()
    for batch in islice(data, recipe.steps):
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(input_ids=batch.ids, labels=batch.labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for mover, schedule in zip(movers, schedules, strict=True):
            mover.step()
            mover.zero_grad()
            schedule.step()
        yield loss.item()


def pretrain(recipe: Recipe, out: Path) -> None:
    """Make tokenizer and model, and write them with ``log.json`` to a folder."""
    torch.set_num_threads(recipe.threads)
    started = time.monotonic()
    tokenizer = make_tokenizer(recipe)
    model = make_model(recipe, tokenizer)
    losses: list[float] = []
    for loss in train(recipe, model, batches(recipe, tokenizer)):
        losses.append(loss)
        if len(losses) % 50 == 0:
            seconds = time.monotonic() - started
            typer.echo(f"step {len(losses)}/{recipe.steps}  loss {loss:.4f}  {seconds:.0f} s")
    tokenizer.save_pretrained(out)
    for parameter in model.parameters():
        parameter.data = parameter.data.half()
    model.save_pretrained(out)
    log = {
        "recipe": asdict(recipe),
        "parameters": model.num_parameters(),
        "vocabulary": len(tokenizer),
        "documents": recipe.steps * recipe.batch,
        "first_losses": losses[:5],
        "losses": [[step, round(losses[step - 1], 4)] for step in range(50, len(losses) + 1, 50)],
        "final_loss": sum(losses[-50:]) / len(losses[-50:]),
        "wall_s": round(time.monotonic() - started, 1),
        "torch": torch.__version__,
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }
    (out / "log.json").write_text(json.dumps(log, indent=1) + "\n")


def main(out: Path = NANO, steps: int = Recipe.steps, threads: int = Recipe.threads) -> None:
    """Pre-train the nano model and write it to OUT."""
    pretrain(Recipe(steps=steps, threads=threads), out)


if __name__ == "__main__":
    typer.run(main)
