"""What the tests of the command have in common: a study, a server with invented answers, a way to run."""

import pytest

from dougong.client.cli import main
from fake_server import FakeServer

STUDY = """\
name: cantilever
mesh: beam.msh
units: mm-t-s
materials: {steel: {elastic: {young_modulus: 210 GPa, poisson_ratio: 0.3}}}
sections: [{material: steel}]
steps:
  - static:
    conditions: [{region: root, fixed: {}}]
    loads: [{region: tip, total_force: {z: -1 kN}}]
"""


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("DOUGONG_LANG", "en")
    fake = FakeServer(tmp_path / "s")
    monkeypatch.setenv("DOUGONG_SERVER", fake.target)
    yield fake
    fake.stop()


@pytest.fixture
def study(tmp_path):
    (tmp_path / "beam.msh").write_bytes(b"mesh" * 2000)
    path = tmp_path / "beam.yaml"
    path.write_text(STUDY)
    return path


def run(capsys, *arguments):
    code = main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err
