#!/bin/bash
# Install what the tests with a real Slurm need: the distribution's slurm-wlm and munge. Nothing of it is started, and the
# tests use neither its configuration nor its daemons. Does nothing when it is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PATH=$PATH:/usr/sbin:/sbin
if ((EUID != 0)); then
    echo "A Slurm that starts jobs needs root; run this as root, in a container for example." >&2
    exit 1
fi
for program in munged slurmctld slurmd sbatch; do
    if ! command -v "$program" >/dev/null; then
        mkdir -p build
        echo "Installing Debian packages: slurm-wlm munge"
        apt=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -y -o Dpkg::Use-Pty=0)
        if ! "${apt[@]}" install --no-install-recommends slurm-wlm munge >build/apt-slurm.log 2>&1; then
            "${apt[@]}" update >>build/apt-slurm.log 2>&1 || true
            if ! "${apt[@]}" install --no-install-recommends slurm-wlm munge >>build/apt-slurm.log 2>&1; then
                tail -n 15 build/apt-slurm.log >&2
                exit 1
            fi
        fi
        break
    fi
done

# Slurm's PMIx plugin looks for a name that Debian ships in libpmix-dev only. It must be there before slurmd starts: one
# that misses it hangs at the first job which asks for it.
shopt -s nullglob
for library in /usr/lib/*/pmix2/lib/libpmix.so.2; do
    [[ -e ${library%.2} ]] || ln -s libpmix.so.2 "${library%.2}"
done
