"""One process in a folder at a time."""

import contextlib
import errno
import subprocess
import sys
import threading

import filelock
import pytest

from tfstyle.runtime.locks import FolderLock

HOLDER = "import sys, pathlib; from tfstyle.runtime.locks import FolderLock; lock = FolderLock(pathlib.Path(sys.argv[1]), 'x'); print('held', flush=True); sys.stdin.read()"


@contextlib.contextmanager
def held(folder):
    """Another process, which holds the folder until its standard input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        yield holder


def test_a_second_run_is_told_who_holds_the_folder(tmp_path):
    with held(tmp_path) as holder:
        with pytest.raises(OSError, match=rf"^dir='x': another run works in it \(process {holder.pid} on "):
            FolderLock(tmp_path, "dir='x'")
        holder.kill()  # the system lets go of what a killed process held
        holder.wait()
        FolderLock(tmp_path, "dir='x'").release()


def test_released_it_can_be_held_again(tmp_path):
    first = FolderLock(tmp_path, "x")
    with pytest.raises(OSError, match="another run"):
        FolderLock(tmp_path, "x")
    first.release()
    first.release()
    FolderLock(tmp_path, "x").release()


def test_who_waits_has_it_after_the_other(tmp_path):
    with held(tmp_path) as holder:
        threading.Timer(0.2, holder.stdin.close).start()
        with FolderLock(tmp_path, "x", wait=True):
            assert holder.wait(timeout=10) == 0


def test_a_file_system_without_locks_hinders_nobody(tmp_path, monkeypatch):
    def lacks(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(filelock, "lock_descriptor", lacks)
    with FolderLock(tmp_path, "x"), FolderLock(tmp_path, "x"):
        pass


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        FolderLock(tmp_path / "absent", "x")
