#!/bin/bash
# Set up everything that Dougong needs in this checkout: Debian packages, the interpreter that the distribution's PETSc
# is built for, and .venv. When nothing has changed since the last time it only compares a hash.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# PETSc, SLEPc, MPI and OpenBLAS with their Python modules; a C compiler for the kernels.
packages=(python3-petsc4py-real python3-petsc4py python3-slepc4py-real python3-mpi4py openmpi-bin libopenblas0-serial
    python3-venv gcc libc6-dev)
# PETSc with 64-bit indices, 50 MB, for the tests that solve with it; they are skipped where it cannot be had.
optional_packages=(python3-petsc4py-64-real)

# A key for each of the two parts. The folder belongs to it: in an environment that was moved, the commands of the
# Python packages must be made again.
shopt -s nullglob
environment_key="$(cat pyproject.toml hatch_build.py scripts/setup.sh scripts/setup_venv.py requirements/*.txt |
    sha256sum | cut -d' ' -f1) $PWD"
kernels_key="$(cat /dev/null solver/dougong/solver/kernels/*.{c,h,py} | sha256sum | cut -d' ' -f1) $PWD"
shopt -u nullglob

is_done() { # STAMP KEY
    [[ -f $1 && $(<"$1") == "$2" ]]
}

environment_stamp=.venv/environment-done
kernels_stamp=.venv/kernels-done
if is_done "$environment_stamp" "$environment_key" && is_done "$kernels_stamp" "$kernels_key"; then
    exit 0
fi
mkdir -p build
exec 9>build/setup.lock
flock 9 # two `make` at once: the second waits, and then finds the work done

missing_packages() { # PACKAGES
    local package
    for package in "$@"; do
        [[ $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) == "install ok installed" ]] || echo "$package"
    done
}

install_packages() {
    local as_root=() missing=("$@")
    if ((EUID != 0)); then
        if ! sudo -n true 2>/dev/null; then
            echo "Dougong needs Debian packages that only an administrator can install; please ask for:" \
                "apt-get install --no-install-recommends ${missing[*]}" >&2
            exit 1
        fi
        as_root=(sudo -n)
    fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0)
    echo "Installing Debian packages: ${missing[*]}"
    # The package lists are fetched only when they are missing or too old to find the packages.
    if ! "${apt[@]}" install --no-install-recommends "${missing[@]}" >build/apt.log 2>&1; then
        "${apt[@]}" update >>build/apt.log 2>&1 || true
        if ! "${apt[@]}" install --no-install-recommends "${missing[@]}" >>build/apt.log 2>&1; then
            tail -n 15 build/apt.log >&2
            echo "The Debian packages could not be installed; the whole output is in build/apt.log." >&2
            exit 1
        fi
    fi
}

# The interpreter for which the distribution's newest petsc4py is built: its extension module carries the interpreter's
# suffix in its name. Not simply the first python3 on PATH, which may be another one.
petsc_python() {
    local modules python suffix module
    mapfile -t modules < <(ls -d /usr/lib/petscdir/petsc[0-9].*-real/lib/python3/dist-packages/petsc4py/lib/PETSc.*.so \
        /usr/lib/petscdir/petsc[0-9].*/*-real/lib/python3/dist-packages/petsc4py/lib/PETSc.*.so 2>/dev/null | sort -rV)
    for module in "${modules[@]}"; do
        for python in /usr/bin/python3 /usr/bin/python3.[0-9]*; do
            [[ -x $python && $python != *-config ]] || continue
            suffix=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))' 2>/dev/null) || continue
            if [[ $module == */PETSc"$suffix" ]]; then
                echo "$python ${module%/petsc4py/lib/*}"
                return
            fi
        done
    done
    return 1
}

set_up_environment() {
    local missing found python petsc_packages
    if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
        mapfile -t missing < <(missing_packages "${packages[@]}")
        ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
        mapfile -t missing < <(missing_packages "${optional_packages[@]}")
        ((${#missing[@]} == 0)) || (install_packages "${missing[@]}") || echo "Dougong works without these packages."
    fi
    if ! found=$(petsc_python); then
        echo "No petsc4py of the distribution was found; on Debian and its relatives an administrator installs it with:" \
            "apt-get install --no-install-recommends ${packages[*]}" >&2
        exit 1
    fi
    read -r python petsc_packages <<<"$found"
    "$python" -I scripts/setup_venv.py "$petsc_packages"
    echo "$environment_key" >"$environment_stamp"
}

compile_kernels() {
    local said
    if ! said=$(.venv/bin/python -m dougong.solver.kernels.build 2>&1); then
        echo "The C kernels could not be compiled; Dougong works without them, but assembles more slowly. $said" >&2
    fi
    echo "$kernels_key" >"$kernels_stamp"
}

is_done "$environment_stamp" "$environment_key" || set_up_environment
is_done "$kernels_stamp" "$kernels_key" || compile_kernels
