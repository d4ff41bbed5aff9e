"""One measured training by TRL's SFTTrainer, in a process of its own: called by training.py."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import torch
from datasets import Dataset
from peak_memory import peak_mb
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer


class Stopwatch(TrainerCallback):
    """Wall and processor seconds from the first step's beginning to the last step's end."""

    started = ended = (0.0, 0.0)

    def on_train_begin(self, *_: object, **__: object) -> None:
        """Start."""
        self.started = time.perf_counter(), time.process_time()

    def on_train_end(self, *_: object, **__: object) -> None:
        """Stop."""
        self.ended = time.perf_counter(), time.process_time()


def main(job: Path) -> None:
    """Train as the job says and print what was measured as JSON."""
    asked = json.loads(job.read_text())
    torch.manual_seed(1)
    dtype = torch.bfloat16 if asked["adapter"] == "lora" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(asked["model"], dtype=dtype)
    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    rows = [{key: row[key] for key in ("prompt", "completion")} for row in asked["rows"]]
    config = SFTConfig(
        output_dir=asked["folder"],
        max_length=asked["optim"]["max_length"],
        num_train_epochs=1,
        learning_rate=asked["optim"]["lr"],
        bf16=asked["optim"]["dtype"] == "bfloat16",
        use_cpu=not torch.cuda.is_available(),
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **asked["trl"],
    )
    watch = Stopwatch()
    trainer = SFTTrainer(
        model=model,
        args=config,
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(asked["model"]),
        peft_config=lora if asked["adapter"] == "lora" else None,
        callbacks=[watch],
    )
    supervised = tokens = slots = 0
    collate = trainer.data_collator

    def counted(examples: list[dict[str, object]]) -> dict[str, torch.Tensor]:
        nonlocal supervised, tokens, slots
        batch: dict[str, torch.Tensor] = collate(examples)
        supervised += int((batch["labels"][:, 1:] != -100).sum())
        slots += batch["input_ids"].numel()
        mask = batch.get("attention_mask")
        tokens += int(mask.sum()) if mask is not None else batch["input_ids"].numel()
        return batch

    trainer.data_collator = counted
    trainer.train()
    print(
        json.dumps(
            {
                "supervised_tokens": supervised,
                "tokens": tokens,
                "padding_share": 1 - tokens / slots,
                "seconds": watch.ended[0] - watch.started[0],
                "cpu_seconds": watch.ended[1] - watch.started[1],
                "peak_mb": peak_mb(),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
