"""``mftbench merge``: a trained adapter and its base become one plain model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def merge(
    model: Annotated[Path, typer.Argument(help="The model/ folder of a training with an adapter.")],
    out: Annotated[Path, typer.Argument(help="A new folder for the merged model.")],
    base: Annotated[str, typer.Option(help="The base [default: the one the adapter names].")] = "",
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
) -> None:
    """Fold an adapter into its base and write a plain model that any library loads."""
    from mftbench.errors import require
    from mftbench.models.merging import merge_adapter

    require("dtype", dtype, ("float32", "bfloat16"), "--dtype")
    merge_adapter(model, out, dtype, base)
    typer.echo(f"merged model: {out}")
