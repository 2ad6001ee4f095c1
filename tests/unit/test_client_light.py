"""The client is light: what it does not need for a command it does not import."""

import subprocess
import sys

SCRIPT = """
import sys
for name in ("numpy", "matplotlib", "grpc_health"):
    sys.modules[name] = None
import dougong.client.cli
from dougong.client import yaml_analysis
from dougong.client.receive import Array
yaml_analysis.loads("materials: {a: {density: 7.85e-9}}")
assert "pint" not in sys.modules
yaml_analysis.loads("materials: {a: {density: 7850 kg/m^3}}")
array = Array("x", "<f8", (0, 3))
assert array.best() is array
"""


def test_command_needs_no_numpy_and_loads_the_units_library_only_for_units():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
