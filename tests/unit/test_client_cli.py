"""The `dougong` command against a server with invented answers."""

import json
import os
import pty
import signal
import struct
import subprocess
import sys
import zlib

import pytest

from cli_cases import STUDY, run, server, study
from dougong.client.cli import main
from dougong.client.cli.console import answer, number, pad, size, table, tell, width
from dougong.client.cli.exit_codes import ExitCode
from dougong.client.cli.progress import ProgressDisplay, fallen
from dougong.messages import violation
from dougong.v1 import job_pb2
from fake_server import wait_for

__all__ = ["server", "study"]

J = job_pb2.Job


def png_size(path):
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    at, kinds = 8, []
    while at < len(data):  # every chunk is whole
        (length,) = struct.unpack(">I", data[at : at + 4])
        body = data[at + 4 : at + 8 + length]
        assert zlib.crc32(body) == struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0]
        kinds.append(body[:4])
        at += 12 + length
    assert kinds[-1] == b"IEND"
    return struct.unpack(">II", data[16:24])


def test_solve_shows_the_answer_and_leaves_its_files(capsys, server, study):
    code, out, err = run(capsys, "solve", study)
    assert code == ExitCode.OK
    folder = study.parent / "beam-results"
    assert "draw  beam.png" in err
    assert sorted(p.name for p in folder.iterdir()) == ["beam.png", "beam.vtu"]
    assert (folder / "beam.vtu").read_bytes() == server.vtu
    assert min(png_size(folder / "beam.png")) > 500
    lines = out.splitlines()

    def line(label):
        return next(text for text in lines if label in text)

    assert "0.032 mm  at (4, 0, 0) mm, node " in line("Largest displacement")
    assert "200 MPa  at (0, " in line("Largest von Mises stress")
    assert line("Applied loads").split() == ["Applied", "loads", "0", "0", "-1,000", "N"]
    assert line("Reactions").split() == ["Reactions", "0", "0", "1,000", "N"]
    assert "16, 16 mJ" in line("Strain energy")
    assert "3.0e-17" in line("Backward error")
    assert "300 (27 prescribed)" in line("Degrees of freedom")
    assert "assemble 0.1 s, solve 1.0 s" in line("Time")
    assert f"Wrote {folder}/beam.png" in lines
    assert "48 hex8" in err
    assert "iteration 10" in err
    assert "\r" not in err
    submitted = next(iter(server.jobs.values())).analysis
    assert submitted.outputs.vtu
    assert submitted.mesh in server.meshes


def test_solve_in_chinese(capsys, server, study, monkeypatch):
    monkeypatch.setenv("DOUGONG_LANG", "zh_CN.UTF-8")
    code, out, err = run(capsys, "solve", study, "--no-picture", "--output", study.parent / "out")
    assert code == 0
    assert "最大位移" in out
    assert "求解" in err
    assert "Largest" not in out


def test_json_is_one_document_on_standard_output(capsys, server, study):
    code, out, _ = run(capsys, "solve", study, "--json", "--no-picture")
    document = json.loads(out)
    assert code == 0
    assert document["job"]["state"] == "succeeded"
    assert document["result"]["steps"][0]["balance"]["reaction_sum"] == [0.0, 0.0, 1000.0]
    assert document["result"]["steps"][0]["dofs"] == 300
    assert document["files"]["result-step-1.vtu"].endswith("beam.vtu")


@pytest.mark.parametrize(
    ("state", "code"), [(J.STATE_FAILED, ExitCode.JOB_FAILED), (J.STATE_CANCELLED, ExitCode.CANCELLED)]
)
def test_how_the_job_ended_is_the_exit_code(capsys, server, study, state, code):
    server.end = state
    got, _, err = run(capsys, "solve", study)
    assert got == code
    if state == J.STATE_FAILED:
        assert "failed (RESULT_DAMAGED)" in err
        assert "dougong logs" in err


def test_what_the_server_finds_wrong_is_shown_with_its_line(capsys, server, study):
    server.violations = [
        violation("RESULT_DAMAGED", "steps[0].loads[0].region", file="a", node_ids=range(1, 20)),
        violation("RESULT_DAMAGED", 'materials["steel"].density', file="b"),
    ]
    for command in ("solve", "submit", "validate"):
        code, _, err = run(capsys, command, study)
        assert code == ExitCode.INPUT
        assert "beam.yaml:9: steps[0].loads[0].region: " in err
        assert 'beam.yaml:4: materials["steel"].density: ' in err
        assert "nodes: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ..." in err


def test_wrong_unit_is_refused_before_a_server_is_asked(capsys, tmp_path, study, monkeypatch):
    monkeypatch.setenv("DOUGONG_SERVER", f"unix:{tmp_path}/nobody")
    study.write_text(STUDY.replace("210 GPa", "210 kg"))
    for command in ("solve", "validate", "submit"):
        code, _, err = run(capsys, command, study)
        assert code == ExitCode.INPUT
        assert 'beam.yaml:4: materials["steel"].elastic.young_modulus: 210 kg: kg is not a unit' in err


def test_json_also_holds_what_went_wrong(capsys, server, study):
    server.violations = [violation("RESULT_DAMAGED", "steps[0]", file="a")]
    code, out, err = run(capsys, "solve", study, "--json")
    assert code == ExitCode.INPUT
    (found,) = json.loads(out)["error"]["violations"]
    assert found["field"] == "steps[0]"
    assert "beam.yaml:7: steps[0]: " in err
    study.write_text(STUDY.replace("210 GPa", "210 kg"))
    for command, key in (("validate", "violations"), ("submit", "error")):
        code, out, _ = run(capsys, command, study, "--json")
        assert code == ExitCode.INPUT
        assert json.loads(out)[key]


def test_nobody_answers(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("dougong.client.patience.RETRY_DELAYS_SECONDS", ())
    code, out, err = run(capsys, "jobs", "--server", f"unix:{tmp_path}/nobody")
    assert (code, out) == (ExitCode.UNREACHABLE, "")
    assert "No server answers" in err


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["solve"], ["solve", "x", "-n", "0"], ["jobs", "--state", "odd"], ["mesh"]]
)
def test_wrong_command_lines_are_told_in_one_sentence(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == ExitCode.INPUT
    assert capsys.readouterr().err.count("\n") == 1


def test_help_lists_the_exit_codes(capsys, monkeypatch):
    for language, words in (("en", "no server answers"), ("zh", "没有服务器响应")):
        monkeypatch.setenv("DOUGONG_LANG", language)
        with pytest.raises(SystemExit) as caught:
            main(["--help"])
        assert caught.value.code == 0
        assert words in capsys.readouterr().out


def test_jobs_are_found_by_the_beginning_of_their_id(capsys, server, study):
    code, out, _ = run(capsys, "submit", study)
    assert code == 0
    job = out.strip()
    assert job in server.jobs
    for arguments, words in (
        (["show", job[:6]], "cantilever"),
        (["show", "last"], "young_modulus: 210000.0"),
        (["jobs"], job[:12]),
        (["logs", job[:6]], "line 99"),
        (["watch", job[:6]], "succeeded"),
        (["results", job[:6]], "Largest displacement"),
        (["jobs", "--state", "succeeded"], "cantilever"),
        (["cancel", job[:6]], job),
    ):
        code, out, _ = run(capsys, *arguments)
        assert code == 0, arguments
        assert words in out
    code, _, err = run(capsys, "show", "zz")
    assert code == ExitCode.INPUT
    assert "There is no job zz" in err


def test_results_saves_files_and_refuses_what_has_none(capsys, server, study):
    run(capsys, "submit", study)
    code, _, err = run(capsys, "results", "last")
    assert code == ExitCode.INPUT
    assert "has no result yet: queued" in err
    run(capsys, "watch", "last")
    target = study.parent / "new" / "folder"
    code, _, _ = run(capsys, "results", "last", "--output", target, "--no-picture")
    assert code == 0
    assert [p.name for p in target.iterdir()] == ["cantilever.vtu"]
    code, _, err = run(capsys, "results", "last", "--output", study, "--no-picture")
    assert code == ExitCode.INPUT
    assert "Results cannot be written to" in err


def test_job_name_cannot_lead_out_of_the_folder(capsys, server, study):
    study.write_text(STUDY.replace("cantilever", '"../../evil"'))
    run(capsys, "submit", study)
    run(capsys, "watch", "last")
    target = study.parent / "inside"
    assert run(capsys, "results", "last", "--output", target, "--no-picture")[0] == 0
    assert [p.name for p in target.iterdir()] == ["evil.vtu"]


def test_picture_without_matplotlib_is_a_sentence_not_a_failure(capsys, server, study, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, _, err = run(capsys, "solve", study)
    assert code == 0
    assert "matplotlib is not installed" in err


def test_mesh_info_draws_its_histograms(capsys, server, study):
    code, out, _ = run(capsys, "mesh", "info", study.parent / "beam.msh")
    assert code == 0
    assert "physical group 2" in out
    assert "worst 0.55 in cell 17" in out
    assert out.count("█") > 60
    code, out, _ = run(capsys, "mesh", "info", study.parent / "beam.msh", "--json")
    assert json.loads(out)["info"]["dimension"] == 3


def test_validate_and_version(capsys, server, study):
    code, out, _ = run(capsys, "validate", study)
    assert code == 0
    assert "300 degrees of freedom" in out
    assert "earlier" not in out
    server.earlier_jobs = 7
    assert "corrected by what 7 earlier job(s)" in run(capsys, "validate", study)[1]
    assert json.loads(run(capsys, "validate", study, "--json")[1])["valid"] is True
    assert "server 0.1.0" in run(capsys, "version")[1]


def start(server, study, **kwargs):
    environment = {**os.environ, "DOUGONG_SERVER": server.target, "DOUGONG_LANG": "en"}
    command = [sys.executable, "-m", "dougong.client.cli", "solve", str(study), "--no-picture"]
    return subprocess.Popen(command, env=environment, **kwargs)


def test_interrupt_without_terminal_detaches(server, study):
    server.hold.clear()
    process = start(server, study, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: "WatchJob" in server.calls and next(iter(server.jobs.values())).last_sequence >= 8)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == ExitCode.DETACHED
    assert b"goes on" in err
    assert not next(iter(server.jobs.values())).cancel_requested


@pytest.mark.parametrize(
    ("typed", "code", "cancelled"),
    [(b"c\n", ExitCode.CANCELLED, True), (b"d\n", ExitCode.DETACHED, False), (b"\x03", ExitCode.DETACHED, False)],
)
def test_interrupt_on_a_terminal_asks(server, study, typed, code, cancelled):
    server.hold.clear()
    mine, theirs = pty.openpty()
    try:
        process = start(
            server, study, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=_own_terminal
        )
        seen = b""
        while b"iteration 40" not in seen:
            seen += os.read(mine, 4096)
        os.write(mine, b"\x03")
        while b"[d]etach" not in seen:
            seen += os.read(mine, 4096)
        os.write(mine, typed)
        assert process.wait(timeout=30) == code
        assert next(iter(server.jobs.values())).cancel_requested is cancelled
        assert "█".encode() in seen
        assert b"\r" in seen
    finally:
        os.close(mine)
        os.close(theirs)


def _own_terminal():
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_bar_follows_the_decades_of_the_residual():
    assert fallen(1.0, 1e-4, 1e-8) == pytest.approx(0.5)
    assert fallen(1.0, 1e-9, 1e-8) == 1
    assert fallen(0.0, 1e-9, 1e-8) == 0
    assert fallen(1e-9, 1e-9, 1e-8) == 0


def test_plain_progress_says_a_stage_once(capsys):
    with ProgressDisplay() as display:
        for _ in range(3):
            display.progress(job_pb2.Progress(stage="assemble"))
        display.progress(job_pb2.Progress(stage="invented"))
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 2
    assert err[1].endswith("invented")


def test_bar_fills_as_the_residual_falls(capsys, monkeypatch):
    monkeypatch.setattr("dougong.client.cli.progress.PLAIN_SECONDS", 0.0)
    with ProgressDisplay() as display:
        for iteration, residual in ((0, 1.0), (5, 1e-2), (9, 1e-8)):
            step = {"stage": "solve", "step": "a", "iteration": iteration, "residual": residual}
            display.progress(job_pb2.Progress(**step, target_residual=1e-8))
    full = [line.count("█") + line.count("#") for line in capsys.readouterr().err.splitlines()]
    assert full == [0, 5, 20]


def test_names_do_not_steer_the_terminal(capsys):
    name = "evil\x1b]0;owned\x07\x9b2J\r"
    answer(name)
    tell(name)
    ProgressDisplay().progress(job_pb2.Progress(stage="solve", step=name))
    for text in capsys.readouterr():
        assert "evil" in text
        assert not set(text) & set("\x1b\x07\x9b\r")


def test_columns_align_with_chinese_characters():
    assert width("应力 a") == 6
    assert pad("应力", 6) == "应力  "
    lines = table([("应力", "x"), ("abcdef", "y")])
    assert lines == ["应力    x", "abcdef  y"]


def test_numbers_are_short():
    assert [number(x) for x in (0.0, 1234.5, 12345.6, 1e-5, 0.12345, -2e9)] == [
        "0",
        "1,234",
        "12,346",
        "1.000e-05",
        "0.1235",
        "-2.000e+09",
    ]
    assert [size(x) for x in (10, 1500, 2.5e9)] == ["10 B", "1.5 kB", "2.5 GB"]
