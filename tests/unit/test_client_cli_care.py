"""What the command does for people in trouble: all faults at once, nothing lost, a reason for what is not there."""

import io
import json
import os

import pytest

from cli_cases import STUDY, run, server, study
from dougong.client.cli import main
from dougong.client.cli.console import number, numbers, width
from dougong.client.cli.exit_codes import ExitCode
from dougong.client.cli.progress import ProgressDisplay
from dougong.messages import FemError, violation
from dougong.v1 import job_pb2

__all__ = ["server", "study"]

J = job_pb2.Job


def test_one_run_finds_what_is_wrong_with_the_file_and_with_the_model(capsys, server, study):
    server.violations = [
        violation("RESULT_DAMAGED", "steps[0].loads[0].region", file="new"),
        violation("RESULT_DAMAGED", 'materials["steel"].elastic', file="follows"),
        violation("RESULT_DAMAGED", "sections[0].material.x", file="inside"),
        violation("RESULT_DAMAGED", "", file="nowhere"),
        violation("RESULT_DAMAGED", "steps[0].conditions[0].fixed", file="misspelt"),
    ]
    text = STUDY.replace("210 GPa", "210 kg").replace("material: steel", "material: [steel]")
    study.write_text(text.replace("fixed: {}", "fixd: {}"))
    for command in ("validate", "solve", "submit"):
        code, _, err = run(capsys, command, study)
        assert code == ExitCode.INPUT
        assert [line.split(": ")[1] for line in err.splitlines() if line.startswith("beam.yaml:")] == [
            'materials["steel"].elastic.young_modulus',
            "sections[0].material",
            "steps[0].conditions[0].fixd",
            "steps[0].loads[0].region",
        ]
    assert not server.jobs
    code, out, _ = run(capsys, "validate", study, "--json")
    assert [v["line"] for v in json.loads(out)["violations"]] == [4, 5, 8, 9]
    assert {v["file"] for v in json.loads(out)["violations"]} == {str(study)}


def test_the_place_for_the_files_is_looked_at_before_anything_is_sent(capsys, server, study):
    (study.parent / "beam-results").write_text("in the way")
    for arguments in (["solve", study], ["solve", study, "--output", study / "below"]):
        code, _, err = run(capsys, *arguments)
        assert code == ExitCode.INPUT
        assert "Results cannot be written to" in err
    assert not server.meshes
    assert (study.parent / "beam-results").read_text() == "in the way"
    (study.parent / "beam-results").unlink()
    study.write_text(STUDY.replace("region: tip", "regio: tip"))
    run(capsys, "solve", study, "--output", study.parent / "a" / "b")
    assert not (study.parent / "a").exists()  # looking leaves nothing behind


def test_files_that_cannot_be_written_later_do_not_keep_the_answer_back(capsys, server, study, monkeypatch):
    def full(*_arguments, **_more):
        raise FemError("FILE_UNWRITABLE", file="beam.vtu", cause="No space left on device")

    monkeypatch.setattr("dougong.client.client.FileReceiver", full)
    code, out, err = run(capsys, "solve", study, "--no-picture")
    (job,) = server.jobs
    assert code == ExitCode.REFUSED
    assert "Largest displacement" in out
    assert "No space left on device" in err
    assert f"dougong results {job} --output FOLDER" in err


def test_files_are_asked_for_unless_the_analysis_says_no(capsys, server, study):
    run(capsys, "submit", study)
    study.write_text(STUDY + "outputs: {vtu: false}\n")
    run(capsys, "submit", study)
    assert [job.analysis.outputs.vtu for job in server.jobs.values()] == [True, False]


def test_a_picture_that_cannot_be_drawn_says_why(capsys, server, study, monkeypatch):
    monkeypatch.setattr("dougong.client.render._COLOURS", ())
    code, _, err = run(capsys, "solve", study)
    assert code == 0
    assert "No picture of step step-1: " in err
    assert "von_mises" in err


def test_a_title_without_font_gives_way_to_the_file_name(capsys, server, study, monkeypatch):
    monkeypatch.setattr("dougong.client.render_page._chinese_font", lambda: None)
    study.write_text(STUDY.replace("cantilever", "悬臂梁"))
    code, _, err = run(capsys, "solve", study)
    assert code == 0
    assert err.count("Note: no Chinese font is installed") == 1
    assert "titled beam" in err
    assert (study.parent / "beam-results" / "beam.png").stat().st_size > 1000


def test_times_of_the_past_are_those_of_the_events(capsys):
    with ProgressDisplay() as display:
        for after, stage in ((1.5, "read"), (63.0, "solve")):
            display.set_clock(after)
            display.progress(job_pb2.Progress(stage=stage))
    assert capsys.readouterr().err.splitlines() == ["1.5 s  read", "63 s  solve"]


def test_progress_in_80_columns_keeps_what_matters(monkeypatch):
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True

    for columns, words in ((80, ["░", "iteration 1234", "5.0e-05, target 1e-08"]), (40, ["iteration 1234", "5.0e-05"])):
        monkeypatch.setenv("COLUMNS", str(columns))
        stream = Terminal()
        display = ProgressDisplay(stream)
        progress = {"stage": "solve", "step": "a very long name of a step", "iteration": 1234}
        display.progress(job_pb2.Progress(**progress, residual=5e-5, target_residual=1e-8))
        line = stream.getvalue().lstrip("\r")
        assert width(line) < columns
        if columns == 40:
            assert all(word in line for word in words), line
        else:
            assert all(word in line for word in words[1:]), line


def test_numbers_of_a_table_are_written_alike_and_without_noise():
    assert numbers([1e-4, -9999.99, 3e-9], 1e-6) == ["0", "-10,000", "0"]
    assert numbers([2e6, -10.0], 1e-9) == ["2.000e+06", "-1.000e+01"]
    assert numbers([20.0, 0.0005]) == ["20", "0.0005"]
    assert number(-9999.99) == "-10,000"
    assert number(999999.9) == "1.000e+06"


def test_special_files_and_empty_ones_are_refused_at_once(capsys, server, tmp_path):
    os.mkfifo(tmp_path / "pipe.msh")
    (tmp_path / "empty.msh").write_bytes(b"")
    for file, words in ((tmp_path / "pipe.msh", "regular"), ("/dev/zero", "regular"), (tmp_path, "regular")):
        code, _, err = run(capsys, "mesh", "info", file)
        assert (code, words in err) == (ExitCode.INPUT, True)
    (tmp_path / "a.yaml").write_text(STUDY.replace("beam.msh", "pipe.msh"))
    code, _, err = run(capsys, "validate", tmp_path / "a.yaml")
    assert (code, "a.yaml:2: mesh: " in err, "regular" in err) == (ExitCode.INPUT, True, True)
    code, _, err = run(capsys, "mesh", "info", tmp_path / "empty.msh")
    assert code == ExitCode.INPUT
    assert err.startswith(f"The file {tmp_path}/empty.msh is empty.")


def test_a_mesh_is_no_analysis(capsys, server, study):
    code, _, err = run(capsys, "solve", study.parent / "beam.msh")
    assert code == ExitCode.INPUT
    assert "This is a mesh, not an analysis." in err
    assert "mesh: beam.msh" in err


def test_units_that_are_not_written_are_told(capsys, server, study):
    assert "taken as SI" not in run(capsys, "validate", study)[2]
    study.write_text(STUDY.replace("units: mm-t-s\n", ""))
    assert "taken as SI" in run(capsys, "validate", study)[2]


def test_without_command_there_is_help(capsys):
    assert main([]) == ExitCode.OK
    assert "validate" in capsys.readouterr().out


def test_wrong_command_lines_in_chinese(capsys, monkeypatch):
    monkeypatch.setenv("DOUGONG_LANG", "zh")
    for arguments in (["solve"], ["solve", "x", "-n", "0"], ["solve", "x", "--odd"], ["jobs", "--state", "odd"]):
        with pytest.raises(SystemExit):
            main(arguments)
        err = capsys.readouterr().err
        assert not {"required", "invalid", "unrecognized", "whole"} & set(err.replace(":", " ").split()), err


def test_jobs_and_meshes_are_deleted(capsys, server, study):
    run(capsys, "submit", study)
    (job,) = server.jobs
    run(capsys, "watch", job)
    code, out, _ = run(capsys, "cancel", job)
    assert (code, "had already ended: succeeded" in out) == (0, True)
    assert run(capsys, "delete", job, "nonsense")[0] == ExitCode.INPUT
    assert job in server.jobs
    assert run(capsys, "delete", job)[0] == 0
    assert not server.jobs
    (mesh,) = server.meshes
    assert mesh in run(capsys, "mesh", "list")[1]
    assert run(capsys, "mesh", "delete", "zz")[0] == ExitCode.INPUT
    assert run(capsys, "mesh", "delete", mesh[:8])[0] == 0
    assert "no meshes" in run(capsys, "mesh", "list")[1]


def test_a_failed_job_has_no_result_and_says_where_to_look(capsys, server, study):
    server.end = J.STATE_FAILED
    run(capsys, "solve", study)
    code, _, err = run(capsys, "results", "last")
    assert code == ExitCode.INPUT
    assert "dougong show" in err
    assert "dougong logs" in err
