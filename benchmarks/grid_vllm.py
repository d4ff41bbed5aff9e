"""One cell of grid.py by vLLM alone, in a process of its own and vLLM's environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(job: Path) -> None:
    """Generate what the job asks for; write texts and token counts beside it."""
    from vllm import LLM, SamplingParams
    from vllm.lora.request import LoRARequest

    asked: dict[str, Any] = json.loads(job.read_text())
    lora = {"enable_lora": True, "max_lora_rank": 8} if asked["adapter"] else {}
    llm = LLM(
        asked["model"],
        dtype=asked["dtype"],
        max_model_len=asked["length"],
        max_num_seqs=asked["rows"],
        gpu_memory_utilization=0.5,  # of the machine's memory; the default wants all of it free
        enforce_eager=True,  # compiling takes longer than it saves here
        generation_config="vllm",
        **lora,
    )
    sampling = [
        SamplingParams(temperature=0, max_tokens=each["limit"], stop=each["stop"])
        for each in asked["requests"]
    ]
    outputs = llm.generate(
        [each["prompt"] for each in asked["requests"]],
        sampling,
        use_tqdm=False,
        lora_request=LoRARequest("cell", 1, asked["adapter"]) if asked["adapter"] else None,
    )
    made = [(output.outputs[0].text, len(output.outputs[0].token_ids)) for output in outputs]
    job.with_suffix(".made.json").write_text(json.dumps(made))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
