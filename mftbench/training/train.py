"""The Train stage: one model from a spec and rows; modes differ in the tasks and the balancer only.

*single* is one task with ``token_mean``, *mixed* all tasks with ``token_mean``, *MFT* all tasks
with a balancer that rebalances.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mftbench.contract import Example, Prompt
from mftbench.errors import EngineError, unknown
from mftbench.models import load_model
from mftbench.models.memory import out_of_memory
from mftbench.progress import Progress
from mftbench.stages import ModelRef, TrainSpec
from mftbench.store import Store
from mftbench.training.activations import prepare as prepare_activations
from mftbench.training.adapters import METHODS, Method, State
from mftbench.training.arguments import ranks, training_arguments
from mftbench.training.balancing.balancer import BalancedTask
from mftbench.training.balancing.registry import make_balancer
from mftbench.training.callbacks import ProgressCallback
from mftbench.training.card import Card, Clock, provenance
from mftbench.training.checkpoints import CheckpointCallback, latest_checkpoint, restore
from mftbench.training.data import TokenData, prepare
from mftbench.training.layouts import make_layout
from mftbench.training.quiet import quiet
from mftbench.training.sampling import make_sampler, steps_of_budget
from mftbench.training.sharding import divided
from mftbench.training.stopping import StoppingCallback, curves
from mftbench.training.trainer import MultiTaskTrainer, Recipe

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_RUNS = "runs"  # where TensorBoard's files are, if it follows


@dataclass(frozen=True)
class _Loaded:
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    spec: TrainSpec

    @property
    def method(self) -> Method:
        return METHODS[self.spec.adapter.kind]

    @property
    def tasks(self) -> list[str]:
        return [data.task for data in self.spec.tasks]


def train(
    spec: TrainSpec,
    rows: Mapping[str, Iterable[Example]],
    prompts: Mapping[str, Prompt],
    out: Path,
    work: Path,
    progress: Progress,
    store: Store | None = None,
) -> None:
    """Train the model of ``spec`` and write ``out``: model/, metrics.jsonl and card.json.

    With ``optim.affinity_every`` there is also affinity.json.

    ``model/`` holds the whole model or the adapter, and the tokenizer. ``work`` keeps checkpoints
    if ``optim.checkpoint_every`` is positive; one that is there is resumed from, and the weights
    are then, bit for bit, those of a run that was never stopped. ``store`` keeps tokenised rows for
    other trainings; a task's ``rows`` are asked for only if it has none. Without it, or without
    fingerprints, ``work`` keeps them.

    Raises UsageError for a setting or data that cannot be trained with, EngineError for a loss that
    is not finite, or where memory ends.
    """
    clock = Clock()
    with quiet(), _memory(spec):
        with clock("load"):
            loaded = _load(spec)
        with clock("prepare"):
            data = prepare(spec, rows, prompts, loaded.tokenizer, _tokens_store(spec, store, work))
            trainer = _trainer(loaded, data, work)
            trainer.check_layout()
            trainer.add_callback(ProgressCallback(progress, _label(spec)))
            trainer.add_callback(
                StoppingCallback(
                    spec.optim,
                    trainer.whole_state,
                    lambda folder, state: _save(loaded, folder, state),
                    work / "best",
                )
            )
        with clock("train"):
            resumed = _run(trainer, work)
        with clock("save"):
            # Sharded parameters are gathered by all ranks together.
            state = trainer.whole_state()
            if not trainer.is_world_process_zero():
                return
            _publish(loaded, work / "best", out, state)
            if (work / _RUNS).is_dir():
                shutil.copytree(work / _RUNS, out / _RUNS)
    _write_metrics(trainer, out)
    if spec.optim.affinity_every:
        trainer.affinity.write(out / "affinity.json")
    seconds = clock.seconds | trainer.clock.seconds
    learnt = trainer.recipe.routing.summary(state or loaded.model.state_dict())
    _write_card(_card(spec, data, trainer, learnt, seconds, resumed), out)


@contextmanager
def _memory(spec: TrainSpec) -> Iterator[None]:
    """Say in one line that memory does not hold a training, and what would make it smaller."""
    try:
        yield
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        length = "pack_length" if spec.optim.padding == "packed" else "max_length"
        raise EngineError(
            f"memory does not hold the training of {spec.model} by {spec.adapter.kind}; lower "
            f"optim.{length}, take a smaller adapter, or give --activations recompute"
        ) from error


def _tokens_store(spec: TrainSpec, store: Store | None, work: Path) -> Store:
    """Share tokens only where fingerprints say what they were made from."""
    named = [spec.model_fingerprint, *(data.source.fingerprint for data in spec.tasks)]
    return store if store and all(named) else Store(work)


def _load(spec: TrainSpec) -> _Loaded:
    if spec.adapter.kind not in METHODS:
        raise unknown("adapter", spec.adapter.kind, METHODS, "adapter.kind")
    method = METHODS[spec.adapter.kind]
    dtype = spec.optim.dtype if method.frozen_base else "float32"
    model, tokenizer = load_model(ModelRef(spec.model), dtype)
    _seed(spec.seed)
    tasks = [data.task for data in spec.tasks]
    return _Loaded(method.attach(model, spec.adapter, spec.model, tasks), tokenizer, spec)


def _seed(seed: int) -> None:
    from transformers import set_seed

    set_seed(seed)


def _trainer(loaded: _Loaded, data: TokenData, work: Path) -> MultiTaskTrainer:
    spec = loaded.spec
    optim = divided(spec.optim, spec.parallel)
    tasks = [
        BalancedTask(item.task, item.weight, data.counts[item.task].train) for item in spec.tasks
    ]
    window = optim.batch * optim.accumulation * ranks()
    sampler = make_sampler(data.train, optim, window, spec.seed)
    if optim.tokens:
        optim = replace(optim, steps=steps_of_budget(sampler, data.train.lengths, optim.tokens))
    trainer = MultiTaskTrainer(
        loaded.model,
        training_arguments(
            optim, spec.seed, work, validate=len(data.valid) > 0, parallel=spec.parallel
        ),
        Recipe(
            tasks=tuple(task.name for task in tasks),
            balancer=make_balancer(spec.balance, tasks),
            scope=spec.balance.scope,
            layout=make_layout(optim, len(tasks)),
            sampler=sampler,
            way=spec.balance.way,
            affinity_every=optim.affinity_every,
            routing=loaded.method.routing(loaded.model),
        ),
        data.train,
        data.valid,
    )
    prepare_activations(loaded.model, optim, trainer.recipe.routing)
    trainer.add_callback(CheckpointCallback(trainer))
    return trainer


def _label(spec: TrainSpec) -> str:
    tasks = ", ".join(data.task for data in spec.tasks)
    return f"train {spec.model} on {tasks} ({spec.balance.name}, seed {spec.seed})"


def _run(trainer: MultiTaskTrainer, work: Path) -> int:
    """Train to the end, from the newest checkpoint if there is one, and say from which step."""
    checkpoint = latest_checkpoint(work)
    if checkpoint is None:
        trainer.train()
        return 0
    restore(trainer, checkpoint)
    trainer.train(resume_from_checkpoint=str(checkpoint))
    return int(checkpoint.name.removeprefix("checkpoint-"))


def _save(loaded: _Loaded, folder: Path, state: State | None) -> None:
    # The trainer switched the cache off for its own forwards; generation is slow without.
    before, loaded.model.config.use_cache = loaded.model.config.use_cache, True
    loaded.method.save(loaded.model, folder, loaded.spec.adapter, loaded.tasks, state)
    loaded.tokenizer.save_pretrained(folder)
    loaded.model.config.use_cache = before


def _publish(loaded: _Loaded, best: Path, out: Path, state: State | None) -> None:
    """Make the model of the best validation, where it was kept, or else of the last step.

    The last weights stand beside the best, in ``last/``.
    """
    _save(loaded, out / ("last" if best.is_dir() else "model"), state)
    if best.is_dir():
        shutil.copytree(best, out / "model")


def _write_metrics(trainer: MultiTaskTrainer, out: Path) -> None:
    lines = (json.dumps(line, sort_keys=True) for line in trainer.state.log_history)
    (out / "metrics.jsonl").write_text("".join(f"{line}\n" for line in lines))


def _card(
    spec: TrainSpec,
    data: TokenData,
    trainer: MultiTaskTrainer,
    learnt: Mapping[str, Any],
    seconds: Mapping[str, float],
    resumed: int,
) -> Card:
    stepping = seconds["train"] - seconds.get("validate", 0.0)
    return Card(
        spec=spec,
        rows=data.counts,
        run={
            **trainer.meter.summary(),
            **learnt,
            "balance": trainer.steps.summary(),
        },
        validation=trainer.last_validation(),
        curves=curves(trainer.state.log_history, spec.optim.patience),
        resumed_from_step=resumed,
        seconds=seconds,
        tokens_per_second=trainer.meter.tokens_counted_here / max(stepping, 1e-9),
        provenance=provenance(trainer.module),
    )


def _write_card(card: Card, out: Path) -> None:
    (out / "card.json").write_text(json.dumps(asdict(card), indent=2, sort_keys=True) + "\n")
