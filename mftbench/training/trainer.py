"""The one trainer of all modes: transformers' loop, task losses exact over the global batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainingArguments

from mftbench.training.affinity import Affinity
from mftbench.training.balancing.balancer import Balancer
from mftbench.training.balancing.probe import NoValidation, Validation
from mftbench.training.balancing.statistics import BatchStatistics
from mftbench.training.batches import Batch
from mftbench.training.callbacks import StepCallback
from mftbench.training.card import Clock
from mftbench.training.finite import require_finite
from mftbench.training.layouts import Layout, micro_batches
from mftbench.training.measuring import Measuring
from mftbench.training.meter import Meter
from mftbench.training.routing import Routing, Unrouted
from mftbench.training.sampling import GlobalBatchSampler
from mftbench.training.sharding import shard
from mftbench.training.steps import BalancedSteps, Balancing
from mftbench.training.task_gradients import ParameterGradients, require_whole
from mftbench.training.tokens import TokenRow, TokenTable
from mftbench.training.validation_rows import ValidationRows


@dataclass(frozen=True)
class Recipe:
    """What a training does beside ``TrainingArguments``: tasks, their balance, and the batches.

    ``layout`` cuts a global batch into micro-batches; ``sampler`` draws the global batches.
    The affinity of tasks is measured every ``affinity_every`` steps, 0: never. ``routing`` tells
    the model its tokens' tasks.
    """

    tasks: tuple[str, ...]
    balancer: Balancer
    scope: str
    layout: Layout
    sampler: GlobalBatchSampler
    way: str = "exact"
    affinity_every: int = 0
    routing: Routing = field(default_factory=Unrouted)


class MultiTaskTrainer(Trainer):
    """Train on several tasks with balanced losses.

    Each task's supervised tokens and samples are counted over the whole accumulation window and all
    ranks before the first backward. Gradient, logged losses and balancer state then depend on the
    global batch alone.
    """

    # The window's loss is normalised by global counts: nothing is left to divide by.
    loss_is_scaled_for_ga = True

    def __init__(
        self,
        model: nn.Module,
        args: TrainingArguments,
        recipe: Recipe,
        train: TokenTable,
        valid: TokenTable | None = None,
    ) -> None:
        self.recipe = recipe
        self.meter = Meter(recipe.tasks)
        self.clock = Clock()
        self.module = model
        self.sampler = recipe.sampler
        self._valid = valid
        self._grad_norm = 0.0
        super().__init__(
            model=model,
            args=args,
            data_collator=self._micro_batches,
            train_dataset=train,
            eval_dataset=valid,
        )
        recipe.layout.prepare(model)
        self._measuring = Measuring(
            module=model,
            head=_output_head(model),
            level=recipe.balancer.level,
            place=self._prepare_inputs,
            precision=self.accelerator.autocast,
            reduce=self._reduce,
            routing=recipe.routing,
        )
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        balancing = Balancing(recipe.balancer, recipe.scope, recipe.way)
        self.steps = BalancedSteps(balancing, self._measuring, trained, args.world_size)
        self.affinity = Affinity(recipe.tasks, recipe.affinity_every)
        self._validation = self._validation_rows()
        if self.steps.kept_apart or recipe.affinity_every:
            require_whole(sharded=self.is_sharded)
        self.remove_callback(PrinterCallback)
        self.add_callback(StepCallback(self))

    def create_accelerator_and_postprocess(self) -> None:
        """Open the library's accelerator; parameters are sharded where the arguments ask for it."""
        super().create_accelerator_and_postprocess()
        if self.args.fsdp_plugin_args is not None:
            shard(self.accelerator, self.args.fsdp_plugin_args)
            self.is_fsdp_enabled = True

    @property
    def is_sharded(self) -> bool:
        """Say whether no rank holds all parameters while it trains."""
        return bool(self.is_fsdp_enabled or self.is_deepspeed_enabled)

    def whole_state(self) -> dict[str, Tensor] | None:
        """Gather sharded parameters on the first rank; all ranks ask together.

        None says that every rank has them in its model.
        """
        if not self.is_sharded:
            return None
        state: dict[str, Tensor] = self.accelerator.get_state_dict(self.model_wrapped)
        return state

    def check_layout(self) -> None:
        """Raise UsageError if the model mixes rows in this layout, found on the first of them.

        Where parameters will be sharded, they are on no device yet; it is then done when they are.
        """
        if not self.is_sharded:
            self._check_layout()

    def _check_layout(self) -> None:
        table: Any = self.train_dataset
        rows = [table[row] for row in self.sampler.order(0)[:8].tolist()]
        self.module.eval()
        self.recipe.layout.check(self._measuring.token_losses, rows, self._dtype)

    @property
    def _dtype(self) -> str:
        return "bfloat16" if self.args.bf16 else "float32"

    # ------------------------------------------------------------ the global batch

    def get_batch_samples(
        self, epoch_iterator: Iterator[list[Batch]], num_batches: int, device: torch.device
    ) -> tuple[list[list[Batch]], None]:
        """Take the micro-batches of one step."""
        return [next(epoch_iterator)], None

    def training_step(
        self,
        model: nn.Module,
        inputs: Any,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """Run all micro-batches of a global batch; ranks exchange gradients after the last.

        ``inputs`` is the list of them. For the library a global batch is one batch, so that a
        layout may cut each into as many micro-batches as it needs.
        """
        # Not when they are taken: a resumed run has its random state back only now.
        self.recipe.routing.begin_step(self.args.seed, self.state.global_step)
        self.steps.open(inputs, self._count(inputs), self._step)
        *first, last = inputs
        total = torch.zeros((), device=self.args.device)
        # DeepSpeed takes its step inside of the backward pass that this says is the last.
        self.accelerator.sync_gradients = False
        with self.accelerator.no_sync(model):
            for batch in first:
                total += super().training_step(model, batch)
        self.accelerator.sync_gradients = True
        total += super().training_step(model, last)
        self.steps.finish()
        return total

    def compute_loss(
        self,
        model: nn.Module,
        inputs: Batch,
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """Give one micro-batch's part of the balanced loss of the global batch."""
        # Gradients that are kept apart are added over ranks by us, not by what wraps the model.
        model = self.module if self.steps.kept_apart else model
        return self.steps.add(self._measuring.run(model, inputs))

    def close_window(self) -> None:
        """End the backward passes of a step, before the optimizer moves anything.

        Raises EngineError if a task's loss or the gradient is not finite.
        """
        record = self.steps.close()
        for task, loss in zip(self.recipe.tasks, record.losses.tolist(), strict=True):
            require_finite(f"loss of task {task!r}", loss, self._step)
        require_finite("gradient norm", self._grad_norm, self._step)
        self.meter.add(record)
        if self.affinity.is_due(self.state.global_step):
            with self.clock("affinity"):
                self._measure_affinity(record.batch)

    def begin(self) -> None:
        """Let the balancer look at the untrained model."""
        if self.is_sharded:
            self._check_layout()
        self.recipe.balancer.before_training(self._validation)

    def end_step(self) -> None:
        """Let the balancer learn from the step that was taken."""
        self.steps.learn(self.state.global_step, self._validation)

    def _measure_affinity(self, counts: BatchStatistics) -> None:
        gradients = ParameterGradients(len(self.recipe.tasks), self.steps.parameters)
        self._measuring.training_gradients(self.steps.batches, counts, gradients)
        level = self._measuring.level
        products = gradients.gramian(level.count(counts), self._reduce)
        self.affinity.add(self.state.global_step + 1, products)

    def _count(self, batches: Sequence[Batch]) -> BatchStatistics:
        tasks = len(self.recipe.tasks)
        flat = torch.stack(
            [torch.cat([b["task_tokens"], b["task_samples"], b["real_tokens"]]) for b in batches]
        ).sum(0)
        slots = torch.tensor([sum(b["input_ids"].numel() for b in batches)])
        counts = self._reduce(torch.cat([flat, slots.to(flat.device)])).cpu()
        self.meter.add_layout(slots=int(counts[-1]), real_tokens=int(counts[-2]))
        return BatchStatistics(counts[:tasks], counts[tasks : 2 * tasks])

    def _reduce(self, tensor: Tensor) -> Tensor:
        """Sum over ranks."""
        if self.args.world_size == 1:
            return tensor
        reduced: Tensor = self.accelerator.reduce(tensor.to(self.args.device), "sum")
        return reduced.to(tensor.device)

    @property
    def _step(self) -> int:
        """Number the step that is being taken, from 1."""
        return self.state.global_step + 1

    # ------------------------------------------------------------ what transformers asks for

    def get_train_dataloader(self) -> DataLoader[list[Batch]]:
        """Give global batches, each as this rank's micro-batches."""
        dataset: Any = self.train_dataset
        return DataLoader(dataset, batch_sampler=self.sampler, collate_fn=self._micro_batches)

    def _micro_batches(self, rows: Sequence[TokenRow]) -> Any:
        return micro_batches(
            self.recipe.layout, rows, self.args.process_index, self.args.world_size
        )

    def _get_grad_norm(self, model: nn.Module, grad_norm: Any = None) -> float:
        # Kept because no hook before the optimizer's step is told.
        norm: Any = super()._get_grad_norm(model, grad_norm=grad_norm)  # type: ignore[no-untyped-call]
        self._grad_norm = 0.0 if norm is None else float(norm)  # DeepSpeed may tell none
        return self._grad_norm

    def floating_point_ops(self, inputs: Batch) -> int:
        """Give 0: the library's estimate walks over all parameters in each micro-batch."""
        return 0

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log a line; the task metrics join the library's, and its run times stay out."""
        if "train_runtime" in logs:
            return
        if "loss" in logs:
            logs = logs | self.meter.take_line()
        super().log(logs)

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Measure and log the validation losses: token-exact, over all and per task."""
        with self.clock("validate"):
            metrics = self._validation_losses()
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def last_validation(self) -> dict[str, float]:
        """Give the latest validation losses, by their logged names; empty if there are none."""
        for line in reversed(self.state.log_history):
            if "eval_loss" in line:
                return {name: value for name, value in line.items() if name.startswith("eval")}
        return {}

    def _validation_losses(self) -> dict[str, float]:
        self.module.eval()
        batches = self._validation_batches()
        sums = self._measuring.sums(batches)[0]
        zeros = torch.zeros(len(self.recipe.tasks), dtype=torch.int64)
        tokens = self._reduce(sum((batch["task_tokens"] for batch in batches), zeros))
        metrics = {"eval_loss": float(sums.sum() / tokens.sum())}
        for task, total, count in zip(self.recipe.tasks, sums, tokens, strict=True):
            if count:
                metrics[f"eval_loss/task/{task}"] = float(total / count)
        return metrics

    def _validation_rows(self) -> Validation:
        if self._valid is None or not len(self._valid):
            return NoValidation()
        return ValidationRows(
            self._valid, self.sampler.window, self._micro_batches, self._measuring
        )

    def _validation_batches(self) -> list[Batch]:
        batches: list[Batch] = self._micro_batches(list(self._valid or ()))
        return batches


def _output_head(model: nn.Module) -> nn.Module | None:
    """Give the module that turns hidden states into logits, where the model says which it is."""
    find: Any = getattr(model, "get_output_embeddings", lambda: None)
    head = find()
    return head if isinstance(head, nn.Module) else None
