"""Solve the bracket from Python: the same calls that the command uses.

Run with the environment of `make setup`:  .venv/bin/python examples/bracket/solve.py
"""

from pathlib import Path

import numpy as np

from dougong.client import Client, load_analysis

with Client() as client:
    file = load_analysis(Path(__file__).parent / "analysis.yaml")
    file.analysis.mesh = client.upload_mesh(file.mesh_file).mesh_id
    job = client.submit(file.analysis)
    for event in client.watch(job.job_id):
        print(event.progress.stage, end=" ", flush=True)
    displacement = client.field(job.job_id, "displacement")
    largest = np.linalg.norm(displacement, axis=1).max()
    print(f"\nlargest displacement {largest:.4g} mm among {len(displacement)} nodes")
