#!/bin/bash
# Install the programs that Dougong is measured against, outside the environment it runs in:
#   build/peers/dolfinx       a virtual environment with dolfinx from PyPI, where a CPython 3.12 or newer is found
#   ccx                       CalculiX of the distribution (package calculix-ccx)
# A peer that cannot be had is said so; the benchmarks then report it as missing.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p build/peers

find_python() {
    local candidate
    for candidate in python3.14 python3.13 python3.12 "$HOME"/.pyenv/versions/3.1[2-9]*/bin/python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    if command -v uv >/dev/null; then
        uv python find '>=3.12' 2>/dev/null
    fi
}

install_dolfinx() {
    local place=build/peers/dolfinx python
    if [[ -f $place/done ]]; then
        return
    fi
    python=$(find_python)
    if [[ -z $python ]]; then
        echo "dolfinx: no CPython 3.12 or newer; looking for the distribution's"
        as_root apt-get -q -y install --no-install-recommends python3-dolfinx >build/peers/dolfinx.log 2>&1 ||
            echo "dolfinx: not to be had; see build/peers/dolfinx.log"
        return
    fi
    rm -rf "$place"
    if "$python" -m venv "$place" && "$place/bin/pip" install -q dolfinx-solver-real >build/peers/dolfinx.log 2>&1; then
        touch "$place/done"
    else
        echo "dolfinx: not to be had; see build/peers/dolfinx.log"
    fi
}

as_root() {
    if ((EUID == 0)); then
        DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

install_calculix() {
    if command -v ccx >/dev/null; then
        return
    fi
    as_root apt-get -q -y install --no-install-recommends calculix-ccx >build/peers/calculix.log 2>&1 ||
        { as_root apt-get -q update && as_root apt-get -q -y install --no-install-recommends calculix-ccx; } \
            >>build/peers/calculix.log 2>&1 ||
        echo "CalculiX: not to be had; see build/peers/calculix.log"
}

install_dolfinx
install_calculix
