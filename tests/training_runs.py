"""What the tests of training share: rows, balancers, one step's gradient, whole runs."""

import random

import torch
from transformers import LlamaConfig, LlamaForCausalLM, TrainerCallback

from mftbench.contract import Example, Prompt
from mftbench.progress import Silent
from mftbench.stages import Adapter, Balance, Optim, SourceRef, TaskData, TrainSpec
from mftbench.training.arguments import ranks, training_arguments
from mftbench.training.balancing.balancer import BalancedTask, Balancer
from mftbench.training.balancing.registry import make_balancer
from mftbench.training.layouts import make_layout
from mftbench.training.routing import Unrouted
from mftbench.training.sampling import GlobalBatchSampler
from mftbench.training.tokens import TokenRow, TokenTable
from mftbench.training.train import train
from mftbench.training.trainer import MultiTaskTrainer, Recipe

torch.set_num_threads(1)  # such small matrices only wait for a second thread

NAMES = ("completion", "sql", "translation")
TASKS = tuple(BalancedTask(name) for name in NAMES)


def token_rows(count=8, seed=0):
    """Rows of very different lengths; the last task is rare."""
    r = random.Random(seed)
    shape = [(0 if i % 8 < 5 else 1 if i % 8 < 7 else 2, r.randint(5, 40)) for i in range(count)]
    return [
        TokenRow(task, [r.randrange(3, 90) for _ in range(length)], r.randint(1, length - 2))
        for task, length in shape
    ]


def tiny_llama(seed=0, dtype=torch.float32, **options):
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=96,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        initializer_range=0.2,
        **options,
    )
    return LlamaForCausalLM(config).to(dtype)


class LogMean(Balancer):
    """The sum of log losses: weights depend on the batch's own losses."""

    needs_losses = True

    def forward(self, losses, batch):
        return torch.where(batch.present, losses, 1.0).log().sum()


class Trailing(Balancer):
    """Weighs tasks by their loss in earlier steps: state that a resume must bring back."""

    def __init__(self, tasks, decay: float = 0.5):
        super().__init__(tasks)
        self.decay = decay
        self.register_buffer("trail", torch.ones(len(self.tasks), dtype=torch.float64))

    def forward(self, losses, batch):
        return (losses * self.trail * batch.present).sum()

    def after_step(self, probe):
        moved = self.decay * self.trail + (1 - self.decay) * probe.losses
        self.trail.copy_(torch.where(probe.batch.present, moved, self.trail))


def whole(tensor):
    """Gather a sharded tensor, on all ranks together."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


class GradientKeeper(TrainerCallback):
    """Keeps the gradient of the first step, as the optimizer sees it."""

    def __init__(self):
        self.gradient = None

    def on_pre_optimizer_step(self, args, state, control, model, **_):
        if self.gradient is None:
            grads = [whole(p.grad).flatten() for p in model.parameters() if p.requires_grad]
            self.gradient = torch.cat(grads).clone()


def make_trainer(
    work,
    rows,
    *,
    batch=8,
    accumulation=1,
    balancer="task_token",
    scope="global",
    way="exact",
    valid=None,
    routing=None,
    parallel=None,
    **optim,
):
    """A trainer on rows; ``balancer`` is a name or a balancer. Options of Optim by name."""
    model = optim.pop("model", None) or tiny_llama()
    settings = {"steps": 1, "grad_clip": 0.0, "log_every": 1} | optim
    made = make_balancer(Balance(balancer), TASKS) if isinstance(balancer, str) else balancer
    chosen = Optim(batch=batch, accumulation=accumulation, **settings)
    table = TokenTable.of(rows)
    window = batch * accumulation * ranks()
    recipe = Recipe(
        NAMES,
        made,
        scope,
        make_layout(chosen, len(NAMES)),
        GlobalBatchSampler(table.tasks, window=window, seed=0),
        way,
        optim.get("affinity_every", 0),
        routing or Unrouted(),
    )
    arguments = training_arguments(chosen, 0, work, validate=False, parallel=parallel)
    return MultiTaskTrainer(model, arguments, recipe, table, valid and TokenTable.of(valid))


def first_step(work, rows, **options):
    """Take one step: its gradient, and its logged line."""
    trainer, keeper = make_trainer(work, rows, **options), GradientKeeper()
    trainer.add_callback(keeper)
    trainer.train()
    return keeper.gradient, trainer.state.log_history[0]


def distance(left, right):
    """The relative distance of two gradients."""
    return ((left - right).norm() / right.norm()).item()


def examples(counts=(30, 13), seed=0):
    r = random.Random(seed)
    return {
        task: [
            Example(
                f"{task}/{i}", "add " * r.randint(1, 8) + str(i), "return x\n" * r.randint(1, 5)
            )
            for i in range(count)
        ]
        for task, count in zip(NAMES, counts, strict=False)
    }


def train_spec(model, *, balance=None, adapter=None, format="plain", counts=(30, 13), **optim):
    settings = {"lr": 1e-2, "batch": 4, "accumulation": 2, "epochs": 2, "log_every": 3}
    return TrainSpec(
        model=str(model),
        model_fingerprint="",
        tasks=tuple(TaskData(task, 1, SourceRef("made up")) for task in NAMES[: len(counts)]),
        balance=balance or Balance("task_token"),
        adapter=adapter or Adapter(),
        optim=Optim(**(settings | optim)),
        format=format,
        seed=3,
    )


def run_train(spec, out, work, *, rows=None, progress=None):
    """Train in new folders; give the artifact's folder."""
    out.mkdir(parents=True)
    rows = rows or examples()
    prompts = {task: Prompt("# {prompt}\n") for task in rows}
    train(spec, rows, prompts, out, work, progress or Silent())
    return out


def install_plugin(folder, value, group="mftbench.balancers"):
    """What pip would leave of a distribution with one entry point."""
    info = folder / "extra-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{value}\n")


class Power(Exception):
    """Stands for kill -9: nothing below catches it."""


class CutAt(Silent):
    """Progress that ends the process at a step."""

    def __init__(self, step):
        self.left = step

    def advance(self, count=1, note=""):
        self.left -= count
        if self.left <= 0:
            raise Power
