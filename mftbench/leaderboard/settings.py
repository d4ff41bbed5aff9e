"""A study's settings as one paragraph; the study file beside the board has them all."""

from __future__ import annotations

from mftbench.stages import Adapter, Optim, Sampling
from mftbench.study import Study

_ADAPTERS = {
    "full": "all parameters",
    "lora": "LoRA of rank {0.rank}, alpha {0.alpha}",
    "dora": "DoRA of rank {0.rank}, alpha {0.alpha}",
    "qlora": "LoRA of rank {0.rank}, alpha {0.alpha}, on a base in NF4",
    "poly": "a mixture by task of {0.experts} LoRA experts of rank {0.rank}, alpha {0.alpha}",
}


def describe(study: Study) -> str:
    """Say in one paragraph what was trained on what, and how it answered."""
    return " ".join(
        (
            _data(study),
            f"Training: {_training(study.adapter, study.optim)}.",
            f"Answers: {_sampling(study.sampling)}, prompt format {study.format}, "
            f"engine {study.engine} in {study.engine_dtype}.",
            f"Seeds: {', '.join(map(str, study.seeds))}.",
        )
    )


def _data(study: Study) -> str:
    sources = sorted({study.settings(task).train for task in study.train_tasks})
    unseen = f", not trained on {', '.join(study.unseen)}" if study.unseen else ""
    balancers = ", ".join(balance.label for balance in study.balancers)
    balanced = f", mft with {balancers}" if "mft" in study.modes else ""
    return (
        f"Base {', '.join(study.models)}; modes {', '.join(study.modes)}{balanced}; "
        f"tasks {', '.join(study.tasks)}{unseen}; training data {', '.join(sources)}."
    )


def _training(adapter: Adapter, optim: Optim) -> str:
    trained = _ADAPTERS[adapter.kind].format(adapter)
    return (
        f"{trained}, {_budget(optim)}, learning rate {optim.lr:g} ({optim.schedule}), "
        f"{optim.batch} x {optim.accumulation} rows a step, at most {optim.max_length} tokens, "
        f"{optim.dtype}"
    )


def _budget(optim: Optim) -> str:
    if optim.tokens > 0:
        return f"{optim.tokens:,} tokens"
    return f"{optim.steps} steps" if optim.steps > 0 else f"{optim.epochs:g} epochs"


def _sampling(sampling: Sampling) -> str:
    if sampling.temperature == 0:
        return "greedy, one sample"
    return f"{sampling.n} samples at temperature {sampling.temperature:g}, top-p {sampling.top_p:g}"
