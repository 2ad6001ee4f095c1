"""Where the private server is, and how a failed start is told."""

import os
import sys
from pathlib import Path

import pytest

from dougong.client import private
from dougong.client.errors import ServerUnreachable
from dougong.messages import FemError
from dougong.server.config import default_listen


def test_data_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("DOUGONG_DATA", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert private.data_folder() == tmp_path / ".local/share/dougong"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "x"))
    assert private.data_folder() == tmp_path / "x/dougong"
    monkeypatch.setenv("DOUGONG_DATA", "~/d")
    assert private.data_folder() == tmp_path / "d"


def test_socket_path_always_fits_and_belongs_to_one_folder():
    short, long = Path("/data"), Path("/" + "long/" * 40)
    assert private.socket_path(short) == Path("/data/socket/server.sock")
    found = {private.socket_path(long), private.socket_path(long / "other")}
    assert len(found) == 2
    for path in found:
        assert len(os.fsencode(path)) <= private.MAX_SOCKET_PATH
        assert str(os.getuid()) in path.parts[2]


@pytest.mark.parametrize("name", ["data", "data/" + "x" * 90, "斗拱" * 30, "long/" * 40])
def test_client_and_server_agree_where_the_socket_is(name):
    """Neither may import the other; a command finds only by this rule the server that another has started."""
    data = Path("/") / name
    assert default_listen(data) == f"unix:{private.socket_path(data)}"


def test_folder_of_somebody_else_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(PermissionError):
        private._own_folder(tmp_path / "link")
    private._own_folder(tmp_path / "mine")
    (tmp_path / "mine").chmod(0o755)
    private._own_folder(tmp_path / "mine")
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o700


def test_server_that_ends_at_once_is_told_with_the_end_of_its_log(tmp_path, monkeypatch):
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\necho the reason is here >&2\nexit 7\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    server = private.PrivateServer(tmp_path / "data")
    for _ in range(2):  # the log of the first attempt is not shown again
        with pytest.raises(ServerUnreachable) as caught:
            server.ensure()
        assert caught.value.params["cause"] == "exit status 7"
        assert caught.value.params["tail"] == "the reason is here"


def test_server_that_never_answers_is_given_up(tmp_path, monkeypatch):
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    monkeypatch.setattr(private, "START_SECONDS", 0.3)
    with pytest.raises(ServerUnreachable, match="no answer"):
        private.PrivateServer(tmp_path / "data").ensure()


def test_data_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(FemError) as caught:
        private.PrivateServer(tmp_path / "data").ensure()
    assert caught.value.reason == "DATA_FOLDER_UNUSABLE"
