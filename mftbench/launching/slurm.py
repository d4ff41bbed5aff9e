"""A plan as SLURM arrays: one per stage, in which task i is cell i and waits for its own inputs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mftbench.folders import make_folder
from mftbench.launching.emit import Emission
from mftbench.launching.units import Unit, chains
from mftbench.store import STAGES

ARRAY = 1000
"""Tasks of one array: SLURM's own default for MaxArraySize is 1001."""

_NOTHING = "true"

_SCRIPT = """\
#!/bin/bash
{directives}
set -u
export OMP_NUM_THREADS=${{SLURM_CPUS_PER_TASK:-1}}
line=$(sed -n "$((${{MFTBENCH_FIRST:-0}} + SLURM_ARRAY_TASK_ID + 1))p" {lines})
bash -c "$line"
code=$?
# 1: some artifacts of this cell could not be made; what needs the others goes on.
[ $code -eq 1 ] && exit 0
exit $code
"""


@dataclass(frozen=True)
class Cluster:
    """What a site asks of every job, as options of sbatch: ``--partition=gpu``."""

    options: tuple[str, ...] = ()


def write_slurm(emission: Emission, folder: Path, cluster: Cluster) -> Path:
    """Write the scripts, a list of lines for each stage, and ``submit.sh``; give its path."""
    folder = folder.resolve()
    make_folder(folder / "logs")
    groups = chains(emission.units)
    for stage in STAGES:
        lines = [_line(emission, group, stage) for group in groups]
        (folder / f"{stage}.txt").write_text("".join(f"{line}\n" for line in lines))
        script = _script(emission, folder, cluster, stage)
        (folder / f"{stage}.sbatch").write_text(script)
    board = [*_directives(emission, folder, cluster, "board", {}), emission.collect]
    (folder / "board.sbatch").write_text("\n".join(["#!/bin/bash", *board, ""]))
    submit = folder / "submit.sh"
    submit.write_text("\n".join(_submit(folder, len(groups))) + "\n")
    submit.chmod(0o755)
    return submit


def _line(emission: Emission, group: Sequence[Unit], stage: str) -> str:
    commands = [emission.line(unit) for unit in group if unit.stage == stage]
    return " ; ".join(commands) if commands else _NOTHING


def _script(emission: Emission, folder: Path, cluster: Cluster, stage: str) -> str:
    sample = next(unit for unit in emission.units if unit.stage == stage)
    needs = emission.job_of.needs(sample)
    own = {"cpus-per-task": needs.cpus} | ({"gres": f"gpu:{needs.gpus}"} if needs.gpus else {})
    directives = "\n".join(_directives(emission, folder, cluster, stage, own))
    return _SCRIPT.format(directives=directives, lines=shlex.quote(str(folder / f"{stage}.txt")))


def _directives(
    emission: Emission, folder: Path, cluster: Cluster, stage: str, own: Mapping[str, object]
) -> Iterator[str]:
    task = "%j" if stage == "board" else "%A_%a"
    yield f"#SBATCH --job-name={emission.study}-{stage}"
    yield f"#SBATCH --output={folder / 'logs' / f'{stage}-{task}.log'}"
    yield "#SBATCH --open-mode=append"
    yield "#SBATCH --requeue"
    for name, value in own.items():
        yield f"#SBATCH --{name}={value}"
    for option in cluster.options:
        yield f"#SBATCH {option}"


def _submit(folder: Path, cells: int) -> Iterator[str]:
    """Submit every array so that its tasks wait for the same tasks of the array before."""
    yield "#!/bin/bash\nset -euo pipefail"
    last = []
    for first in range(0, cells, ARRAY):
        array = f"--array=0-{min(ARRAY, cells - first) - 1}"
        export = f"--export=ALL,MFTBENCH_FIRST={first}"
        after = ""
        for stage in STAGES:
            script = shlex.quote(str(folder / f"{stage}.sbatch"))
            job = f"{stage}_{first}"
            yield f"{job}=$(sbatch --parsable {array} {export}{after} {script})"
            after = f' --dependency="aftercorr:${{{job}%%;*}}" --kill-on-invalid-dep=yes'
        last.append(f"${{{STAGES[-1]}_{first}%%;*}}")
    board = shlex.quote(str(folder / "board.sbatch"))
    yield f'sbatch --parsable --dependency="afterany:{":".join(last)}" {board}'
