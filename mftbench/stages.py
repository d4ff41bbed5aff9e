"""The frozen specs of the four stages; each holds the keys of its inputs, so keys chain.

Everything in a spec changes the bytes that its stage writes. Paths, worker counts and versions of
libraries are provenance and stay out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from pydantic import ConfigDict

from mftbench.contract import JsonValue, Limits

FORBID: Final = ConfigDict(extra="forbid")
"""Settings that a study file may hold reject unknown keys; pydantic reads this from each record."""


@dataclass(frozen=True)
class ModelRef:
    """A model to load: a base by name, and what training made of it, if anything.

    ``trained`` is the ``model`` folder of a Train artifact: an adapter where ``adapter`` is true,
    else a whole model that replaces the base. ``part`` names the task that it is for, where a
    training makes several.
    """

    base: str
    trained: Path | None = None
    adapter: bool = False
    part: str = ""


@dataclass(frozen=True)
class SourceRef:
    """A source by name, with its options and the fingerprint of its content."""

    name: str
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    fingerprint: str = ""


@dataclass(frozen=True)
class TaskData:
    """What one task brings to a training: its rows, and the version of its prompt."""

    task: str
    version: int
    source: SourceRef
    weight: float = 1.0


@dataclass(frozen=True)
class Balance:
    """Which balancer combines the task losses, with its options, and over which batch.

    ``way`` says where weights that depend on their own batch come from: "exact" measures the batch,
    "deferred" takes the statistics of earlier steps and adds no pass.
    """

    __pydantic_config__ = FORBID

    name: str = "token_mean"
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    scope: Literal["global", "micro"] = "global"
    way: Literal["exact", "deferred"] = "exact"

    @property
    def label(self) -> str:
        """Name this balancer so that no two settings of one method share a name."""
        options = ",".join(f"{name}={value}" for name, value in sorted(self.options.items()))
        micro = " (micro-batch)" if self.scope == "micro" else ""
        way = f" ({self.way})" if self.way != "exact" else ""
        return f"{self.name}({options}){micro}{way}" if options else f"{self.name}{micro}{way}"


@dataclass(frozen=True)
class Adapter:
    """Which parameters are trained.

    ``double_quantization`` and ``compute_dtype`` are for "qlora", whose base is in NF4: quantised
    scales, and the precision of products ("": the base's own). ``experts`` are the low-rank pairs
    of "poly", which a router of each task mixes.
    """

    __pydantic_config__ = FORBID

    kind: Literal["full", "lora", "dora", "qlora", "poly"] = "full"
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    targets: tuple[str, ...] = ("all-linear",)
    double_quantization: bool = True
    compute_dtype: Literal["", "float32", "bfloat16"] = ""
    experts: int = 4


@dataclass(frozen=True)
class Optim:
    """How the trainable parameters are moved. ``batch`` is rows of a micro-batch.

    A step's global batch is ``batch * accumulation`` rows of all ranks, however it is laid out:
    ``padding`` "packed" puts them into packs of at most ``pack_length`` tokens (0: ``max_length``).
    The budget is ``tokens`` (prompts included) if positive, else ``steps`` if positive, else
    ``epochs``. ``warmup`` is a share of all steps. ``stop`` ends a training early: after
    ``patience`` validations in a row without a better loss, over all tasks or, "tasks", in each of
    them. ``keep`` says which weights become the model: those of the best validation, or the last.
    """

    __pydantic_config__ = FORBID

    lr: float = 5e-5
    schedule: str = "cosine"
    warmup: float = 0.05
    weight_decay: float = 0.0
    grad_clip: float = 1.0
    epochs: float = 1.0
    steps: int = 0
    tokens: int = 0
    task_sampling: Literal["proportional", "uniform", "temperature"] = "proportional"
    sampling_temperature: float = 2.0
    batch: int = 8
    accumulation: int = 1
    max_length: int = 1024
    too_long: Literal["truncate", "drop"] = "drop"
    padding: Literal["fixed", "dynamic", "packed"] = "dynamic"
    pack_length: int = 0
    group_by_length: bool = True
    dtype: Literal["float32", "bfloat16"] = "float32"
    valid_share: float = 0.02
    log_every: int = 10
    eval_every: int = 0
    affinity_every: int = 0
    stop: Literal["never", "aggregate", "tasks"] = "never"
    patience: int = 3
    keep: Literal["last", "best"] = "last"
    checkpoint_every: int = 0


@dataclass(frozen=True)
class Parallel:
    """On how many ranks of one machine a model is trained.

    Each holds all of it ("ddp"), or a shard of it ("fsdp2", or "deepspeed" with a configuration
    that is passed through as it is). Ranks divide ``optim.accumulation``: the global batch does not
    depend on them.
    """

    __pydantic_config__ = FORBID

    ranks: int = 1
    kind: Literal["ddp", "fsdp2", "deepspeed"] = "ddp"
    deepspeed: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainSpec:
    """One training: base model, data of one or several tasks, balancer, optimizer, seed.

    ``threads`` is a fixed number of processor threads, because sums are divided among them and
    their last digits follow; 0 takes what the machine gives, which is then provenance.
    ``balancer_code`` is a digest of an installed balancer's code, None for a built-in one.
    """

    model: str
    model_fingerprint: str
    tasks: tuple[TaskData, ...]
    balance: Balance
    adapter: Adapter
    optim: Optim
    format: str
    seed: int
    threads: int = 0
    parallel: Parallel = field(default_factory=Parallel)
    version: int = 1
    balancer_code: str | None = None


@dataclass(frozen=True)
class Sampling:
    """How completions are drawn. Temperature 0 is greedy and makes one sample whatever ``n``.

    ``batch`` is rows at a time; 0 is as many as the engine's memory for keys and values holds.
    """

    __pydantic_config__ = FORBID

    n: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    max_new_tokens: int = 0
    batch: int = 64


@dataclass(frozen=True)
class GenerateSpec:
    """All completions of one model on one source of one task. ``train`` is the Train key or "".

    ``engine_options`` are those that change what is generated; ``threads`` is as in training.
    """

    model: str
    model_fingerprint: str
    train: str
    adapter: bool
    task: str
    task_version: int
    source: SourceRef
    format: str
    engine: str
    sampling: Sampling
    dtype: str
    seed: int
    engine_options: Mapping[str, JsonValue] = field(default_factory=dict)
    threads: int = 0
    version: int = 2


@dataclass(frozen=True)
class ExecuteSpec:
    """The executions of one Generate artifact. ``runners`` digests ``sandbox/`` and any images."""

    generate: str
    task: str
    task_version: int
    source: SourceRef
    sandbox: str
    runners: str
    limits: Limits
    program_version: int = 1
    version: int = 1


@dataclass(frozen=True)
class ScoreSpec:
    """Verdicts and scores of one Execute artifact."""

    execute: str
    generate: str
    task: str
    task_version: int
    judge_version: int
    source: SourceRef
    k: tuple[int, ...]
    version: int = 1
