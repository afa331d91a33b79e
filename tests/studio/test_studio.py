"""The studio: what it keeps, what it refuses, what its worker paints, and its page in a real browser."""

import base64
import contextlib
import http.client
import io
import json
import os
import re
import shlex
import signal
import socket
import threading
import time
import urllib.parse
import zlib

import numpy as np
import pytest
from PIL import Image

from tfstyle.io import encode
from tfstyle.studio import paintings, store
from tfstyle.studio.orders import Order
from tfstyle.studio.server import Server
from tfstyle.studio.streams import MOST_STREAMS
from tfstyle.studio.web import MOST_BYTES, Studio

from conftest import file_bytes, one_line, picture, run_script, start_script, well

SETTINGS = {"weights": "mini", "image_size": 64, "iterations": 30, "style_strength": 0.5}


class Client:
    """Asks a studio as its page does."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port, self.url = parts.hostname, parts.port, url
        found = re.search(rb'name="token" content="([^"]+)"', self.get("/")[1])
        self.token = found[1].decode()

    def ask(self, method, path, body=None, **headers):
        with contextlib.closing(http.client.HTTPConnection(self.host, self.port, timeout=120)) as connection:
            connection.request(
                method, path, body, {name.replace("_", "-"): each for name, each in headers.items()}
            )
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, body=b"", **headers):
        body = body if isinstance(body, bytes) else json.dumps(body)
        status, answer, _ = self.ask("POST", path, body, **{"X_Tfstyle_Token": self.token, **headers})
        return status, json.loads(answer)

    def upload(self, seed=0, size=(48, 64), kind="photograph"):
        status, record = self.post(f"/api/pictures?name=a.png&kind={kind}", file_bytes(picture(*size, seed)))
        assert status == 201, record
        return record["id"]

    def paintings(self):
        return {each["id"]: each for each in json.loads(self.get("/api/state")[1])["paintings"]}

    def paint(self, **changes):
        order = {"content": self.upload(), "styles": [{"id": self.upload(1, kind="style")}]}
        status, painting = self.post("/api/paintings", {**order, "settings": SETTINGS, **changes})
        assert status == 201, painting
        return painting["id"]

    def until(self, identity, reached, seconds=90):
        end = time.monotonic() + seconds
        while not reached(found := self.paintings()[identity]):
            assert time.monotonic() < end, found
            time.sleep(0.05)
        return found

    def do(self, identity, deed):
        return self.post(f"/api/paintings/{identity}/{deed}", {})


@contextlib.contextmanager
def served(folder, host="127.0.0.1"):
    studio = Studio(folder, host)
    with Server(studio, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server, studio
        finally:
            server.shutdown()
            studio.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(scope="module")
def client(folder):
    """One studio, and hence one start of TensorFlow, for all tests that leave it alone."""
    with served(folder) as (server, _):
        yield Client(server.url)


@pytest.fixture
def idle(tmp_path, monkeypatch):
    """A studio whose queue nobody works on."""
    monkeypatch.setattr(paintings.Paintings, "_dispatch", lambda self: None)
    with served(tmp_path / "idle") as (server, _):
        yield Client(server.url)


# What is asked for


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"content": 3}, "content: is missing"), ({"styles": []}, "styles: must be 1 to 4"),
        ({"styles": [{"id": "a", "share": -1}]}, "share=-1"), ({"more": 1}, "order: must be"),
        ({"settings": {"weights": "/etc/passwd"}}, "weights="), ({"settings": {"logdir": "x"}}, "settings: must"),
        ({"settings": {"image_size": 1.5}}, "image_size=1.5"), ({"instant": True, "mask": "a"}, "instant: is for"),
        ({"mask": "m", "styles": [{"id": "a"}, {"id": "b"}]}, "mask: is for one style"),
    ],
)  # fmt: skip
def test_orders_that_make_no_sense(changes, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        Order.parse({"content": "a", "styles": [{"id": "b"}], **changes})


def test_shares_and_settings_become_flags():
    asked = {"content": "c", "styles": [{"id": "a", "share": 0.7}, {"id": "b", "share": 0.3}]}
    order = Order.parse({**asked, "settings": {"style_scale": 0.5, "color": "content"}})
    words = order.command(order.files(lambda each: f"/{each} 1.png"), "out.png")
    flags = {"--content=/c 1.png", "--style=/a 1.png", "--style=/b 1.png"}
    assert {*flags, "--style_blend=0.7,0.3", "--style_scale=0.5", "--color=content"} < set(words)


# What is kept


def test_pictures_are_decoded_and_written_anew(tmp_path):
    kept = store.Store(tmp_path)
    secret = Image.Exif()
    secret[0x010E], secret[0x0112] = "where I live", 6  # a description, and turned by a quarter
    photograph = file_bytes(picture(30, 40), "JPEG", exif=secret)
    record = kept.add_picture(photograph + b"<script>", "../../x/ph\n.jpg")
    assert (record["name"], record["width"], record["height"]) == ("ph.jpg", 30, 40)
    assert kept.path(record["id"]).parent == tmp_path.resolve() / "pictures"
    assert not re.search(b"where|script", kept.path(record["id"]).read_bytes())
    clear = np.dstack([picture(8, 8), np.full((8, 8), 99, np.uint8)])
    assert Image.open(kept.path(kept.add_picture(file_bytes(clear), "a.png")["id"])).mode == "RGBA"
    large = kept.add_picture(file_bytes(np.zeros((2, store.LONGEST_SIDE * 2, 3), np.uint8)), "a.png")
    assert (large["width"], large["height"]) == (store.LONGEST_SIDE, 1)
    assert not list((tmp_path / "pictures").glob(".*upload"))


def test_one_studio_a_folder(tmp_path):
    store.Store(tmp_path)
    with pytest.raises(OSError, match="another run works in it"):
        store.Store(tmp_path)


def test_the_queue(idle):
    first = idle.paint()
    assert idle.do(first, "pause")[0] == 200 and idle.paintings()[first]["state"] == "paused"
    assert idle.do(first, "pause")[0] == 409
    assert idle.do(first, "stop") == (409, {"error": "nothing of it is painted yet; remove it instead"})
    assert idle.do(first, "resume")[0] == 200 and idle.paintings()[first]["state"] == "queued"
    order = idle.paintings()[first]["order"]
    for _ in range(paintings.MOST_WAITING - 1):
        assert idle.post("/api/paintings", order)[0] == 201
    status, answer = idle.post("/api/paintings", order)
    assert status == 409 and "are waiting" in answer["error"]
    assert idle.do(first, "remove")[0] == 200 and first not in idle.paintings()


def test_nothing_is_lost_when_it_is_started_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(paintings.Paintings, "_dispatch", lambda self: None)
    with served(tmp_path) as (server, studio):
        client = Client(server.url)
        waits, works = client.paint(), client.paint()
        studio._paintings._records[works].update(state="painting", step=3)
        studio._store.save_painting(studio._paintings._records[works])
        before = client.paintings()
    with served(tmp_path) as (server, _):
        after = Client(server.url).paintings()
    assert list(after) == [works, waits]
    assert after[waits] == before[waits]
    # It is the next one, before what waits.
    assert (after[works]["state"], after[works]["queued"], after[works]["step"]) == ("queued", 0.0, 3)


# What is refused


def huge_png():
    """A PNG of 200 million pixels in few bytes."""

    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (20_000).to_bytes(4, "big") + (10_000).to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    chunks = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(1000))), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    ("status", "method", "path", "headers"),
    [
        (403, "GET", "/api/state", {"Host": "evil.example"}), (403, "GET", "/", {"Host": "127.0.0.1.evil.example"}),
        (403, "GET", "/", {"Host": ""}), (403, "GET", "/", {"Host": "[::1"}), (403, "GET", "/", {"Host": "0x7f.1"}),
        (403, "POST", "/api/paintings", {"Origin": "http://evil.example"}),
        (403, "POST", "/api/paintings", {"Origin": "null"}), (403, "POST", "/api/paintings", {"X_Tfstyle_Token": ""}),
        (403, "POST", "/api/paintings", {"X_Tfstyle_Token": "x" * 32}), (405, "GET", "/api/paintings", {}),
        (405, "DELETE", "/api/state", {}), (404, "GET", "/pictures/..%2f..%2fpainting.jpg", {}),
        (404, "GET", "/paintings/..%2f..%2f..%2fetc/result.png", {}), (404, "GET", "/paintings/../../x/preview.jpg", {}),
        (404, "GET", "/studio.js%00.css", {}), (404, "GET", "/../studio.js", {}), (404, "GET", "/styles/..%2fx.jpg", {}),
        (404, "GET", f"/paintings/{'0' * 32}/result.png", {}), (404, "GET", f"/pictures/{'0' * 32}.jpg", {}),
        (404, "POST", f"/api/paintings/{'0' * 32}/stop", {}), (404, "POST", "/api/paintings/a/explode", {}),
        (413, "POST", "/api/pictures", {"Content_Length": "1000000000"}),
        (413, "POST", "/api/paintings", {"Content_Length": "100000"}),
        (411, "POST", "/api/pictures", {"Transfer_Encoding": "chunked"}),
        (411, "POST", "/api/paintings", {}),
    ],
)  # fmt: skip
def test_hostile_requests(client, status, method, path, headers):
    given = {"X_Tfstyle_Token": client.token, **headers} if method != "GET" else headers
    with contextlib.closing(http.client.HTTPConnection(client.host, client.port, timeout=30)) as connection:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in given.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        if headers.get("Transfer_Encoding"):
            connection.send(b"0\r\n\r\n")
        answer = connection.getresponse()
        told = json.loads(answer.read())
    assert answer.status == status and told["error"], told


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, huge_png()), (400, b""), (400, b"<svg onload='alert(1)'/>"), (400, b"GIF89a"), (413, bytes(MOST_BYTES + 1))],
    ids=["pixels", "empty", "svg", "cut", "bytes"],
)  # fmt: skip
def test_hostile_uploads(client, status, body):
    told, answer = client.post("/api/pictures?name=x.png", body)
    assert told == status and "/" not in answer["error"].replace("image/", "")


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"content": NaN}', b"\xff", b"[" * 5000, b'"a"'])
def test_hostile_json(client, body):
    assert client.post("/api/paintings", body)[0] == 400


def test_a_truncated_upload(client):
    headers = f"Host: 127.0.0.1:{client.port}\r\nX-Tfstyle-Token: {client.token}\r\nContent-Length: 9999"
    with socket.create_connection((client.host, client.port), timeout=30) as connection:
        connection.sendall(f"POST /api/pictures HTTP/1.1\r\n{headers}\r\n\r\nhalf".encode())
        connection.shutdown(socket.SHUT_WR)
        assert b" 400 " in connection.makefile("rb").readline()


def test_event_streams_are_counted(client):
    with contextlib.ExitStack() as opened:
        streams = []
        for _ in range(MOST_STREAMS + 3):
            connection = opened.enter_context(
                contextlib.closing(http.client.HTTPConnection(client.host, client.port, timeout=30))
            )
            connection.request("GET", "/api/events")
            streams.append(connection.getresponse())  # kept, or it would be closed
        assert [each.status for each in streams] == [200] * MOST_STREAMS + [503] * 3
        assert client.get("/api/state")[0] == 200


def test_slow_and_many_connections(client, monkeypatch):
    from tfstyle.studio import server

    monkeypatch.setattr(server, "_HEADER_SECONDS", 1.0)
    with contextlib.ExitStack() as opened:
        slow = [
            opened.enter_context(socket.create_connection((client.host, client.port), timeout=30))
            for _ in range(90)
        ]
        for each in slow:
            each.sendall(b"GET / HTTP/1.1\r\n")
        answers = [each.recv(100)[:12] for each in slow]  # those let in are dropped when their time is over
    assert set(answers) == {b"", b"HTTP/1.1 503"} and answers.count(b"") <= 64
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if client.get("/api/state")[0] == 200:
                return
    pytest.fail("it does not answer any more")


def test_headers(client):
    for path in ("/", "/api/state", "/studio.js", "/nothing"):
        headers = client.get(path)[2]
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"


def test_others_need_the_key(tmp_path):
    with served(tmp_path, host="0.0.0.0") as (server, studio):
        ask = Client.__new__(Client)
        ask.host, ask.port = "127.0.0.1", server.port
        assert ask.get("/")[0] == ask.get("/api/state")[0] == ask.get("/?token=wrong")[0] == 403
        status, _, headers = ask.get(f"/?token={studio.access.key}")
        assert status == 303 and headers["Location"] == "/"
        cookie = headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
        assert ask.get("/api/state", Cookie=cookie.partition(";")[0])[0] == 200
        assert ask.get("/", Cookie=cookie.partition(";")[0], Host="evil.example")[0] == 403


# What is painted


def test_instant_styles(client):
    photograph, style = client.upload(), client.upload(2, kind="style")
    for name, size in (("starry_night", "thumbnail"), ("swirls", "thumbnail"), (style, "large")):
        status, data, _ = client.get(f"/pictures/{photograph}/{name}/{size}.jpg")
        assert status == 200 and Image.open(io.BytesIO(data)).size == (64, 48)
    assert client.get(f"/pictures/{photograph}/monet/thumbnail.jpg")[0] == 404
    status, answer = client.post("/api/paintings", {"content": photograph, "styles": [{"id": "city"}]})
    assert status == 400 and "add a picture of it" in answer["error"]


def made_by_command(painting, cwd):
    """The file that the command line shown makes."""
    program, command, *words = shlex.split(painting["command"])
    assert program == "tfstyle"
    well(run_script({"transfer": "style_transfer.py"}.get(command, f"{command}.py"), *words, cwd=cwd))
    return cwd / words[-1].removeprefix("--output=")


def test_what_is_kept_at_once_is_what_the_command_makes(client, tmp_path):
    order = {"instant": True, "content": client.upload(3), "styles": [{"id": "city"}]}
    status, painting = client.post("/api/paintings", order)
    assert status == 201 and painting["state"] == "done"
    made = made_by_command(painting, tmp_path).read_bytes()
    assert made == client.get(f"/paintings/{painting['id']}/result.png")[1]


@pytest.mark.slow
def test_a_painting_is_what_the_command_makes(client, tmp_path):
    mask = np.zeros((48, 64), np.uint8)
    mask[:, 20:] = 255
    order = {"content": client.upload(), "styles": [{"id": client.upload(1, kind="style")}]}
    order["settings"] = {**SETTINGS, "color": "content"}
    order["mask"] = client.post("/api/pictures?kind=mask&name=m.png", file_bytes(mask))[1]["id"]
    status, plan = client.post("/api/plan", order)
    assert status == 200, plan
    assert (plan["width"], plan["height"], plan["fits"]) == (64, 48, True)
    identity = client.paint(**order)
    # A plan that is made between its steps changes nothing.
    client.until(identity, lambda each: each["total"] > 0)
    larger = {**order, "settings": {**order["settings"], "image_size": 96}}
    assert client.post("/api/plan", larger)[1]["width"] == 96
    done = client.until(identity, lambda each: each["state"] not in ("queued", "painting"))
    assert (done["state"], done["error"], done["step"]) == ("done", "", 30)
    assert [step for step, _ in done["curve"]] == list(range(0, 31, 5))
    made = made_by_command(done, tmp_path)
    assert made.read_bytes() == client.get(f"/paintings/{identity}/result.png")[1]
    jpeg = tmp_path / "result.jpg"
    jpeg.write_bytes(client.get(f"/paintings/{identity}/result.jpg")[1])
    encode.save_image(tmp_path / "made.jpg", np.asarray(Image.open(made)), encode.read_note(made))
    assert jpeg.read_bytes() == (tmp_path / "made.jpg").read_bytes()


@pytest.mark.slow
def test_pause_stop_and_go_on(client, tmp_path):
    identity = client.paint(settings={**SETTINGS, "iterations": 400})
    client.until(identity, lambda each: each["step"] >= 5)
    assert client.do(identity, "remove")[0] == 409
    client.do(identity, "pause")
    paused = client.until(identity, lambda each: each["state"] == "paused")
    assert 0 < paused["step"] < 400 and not paused["result"]
    client.do(identity, "stop")  # of what has been painted so far, without a step more
    stopped = client.until(identity, lambda each: each["state"] == "stopped")
    assert stopped["result"] and 0 < stopped["step"] < 400
    shown, kept = (client.get(f"/paintings/{identity}/{name}")[1] for name in ("preview.jpg", "result.png"))
    (tmp_path / "stopped.png").write_bytes(kept)
    pixels = [np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float) for data in (shown, kept)]
    assert np.abs(pixels[0] - pixels[1]).mean() < 3  # one is a JPEG
    assert json.loads(encode.read_note(tmp_path / "stopped.png"))["iterations"] == [stopped["step"], 400]
    client.do(identity, "resume")
    client.until(identity, lambda each: each["state"] == "painting" and each["step"] > stopped["step"])
    client.do(identity, "stop")
    again = client.until(identity, lambda each: each["state"] == "stopped")
    assert again["step"] > stopped["step"]
    assert client.do(identity, "remove")[0] == 200


def test_a_worker_that_has_nothing_to_do_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(paintings, "_IDLE_SECONDS", 0.3)
    with served(tmp_path) as (server, studio):
        client, queue = Client(server.url), studio._paintings
        with queue._changed:
            queue._send({"do": "end", "id": "", "how": "stop"})
            worker = queue._worker
        assert worker.wait() == 0 and queue._worker is None
        # While it plans, paintings are put into the queue, and not forgotten.
        monkeypatch.setattr(queue, "_send", lambda task: None)
        queue._plans[0] = paintings.Future()
        identity = client.paint()
        client.until(identity, lambda each: each["state"] == "painting")


@pytest.mark.slow
def test_a_worker_that_is_killed(client, folder):
    identity = client.paint(settings={**SETTINGS, "iterations": 400})
    client.until(identity, lambda each: each["step"] >= 5)
    lock = (folder / "paintings" / ".lock").read_text()
    os.kill(int(re.search(r"process (\d+)", lock)[1]), signal.SIGKILL)
    paused = client.until(identity, lambda each: each["state"] == "paused")
    assert "status -9" in paused["error"]
    assert client.do(identity, "remove")[0] == 200


def started(folder):
    studio = start_script("studio.py", f"--folder={folder}", "--port=0", cwd=folder)
    end = time.monotonic() + 60
    while "\n" not in studio.out.read_text():
        assert studio.poll() is None and time.monotonic() < end, studio.err.read_text()
        time.sleep(0.05)
    return studio, Client(studio.out.read_text().strip())


@pytest.mark.slow
def test_a_studio_that_is_killed_goes_on(tmp_path):
    studio, client = started(tmp_path)
    styles = [{"id": client.upload(1, kind="style"), "share": 0.75}, {"id": "swirls", "share": 0.25}]
    identity = client.paint(styles=styles, settings={**SETTINGS, "iterations": 40})
    client.until(identity, lambda each: each["step"] >= 5)
    studio.send_signal(signal.SIGKILL)
    studio.wait()
    studio, client = started(tmp_path)
    done = client.until(identity, lambda each: each["state"] not in ("queued", "painting"))
    assert (done["state"], done["step"]) == ("done", 40)
    made = client.get(f"/paintings/{identity}/result.png")[1]
    studio.send_signal(signal.SIGINT)
    assert studio.wait() == 0 and "Traceback" not in studio.err.read_text()
    assert made_by_command(done, tmp_path).read_bytes() == made


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("--port=99999", "port=99999: must be a whole number, 0 to 65535"), ("--port=PORT", "port=PORT: is in use"),
        ("--host=no.such.host.invalid", "host='no.such.host.invalid': is no name or address of this machine"),
        ("--folder=/dev/null/x", "folder='/dev/null/x': cannot be made"),
    ],
)  # fmt: skip
def test_mistakes_end_in_a_line(tmp_path, client, flag, told):
    flag, told = (text.replace("PORT", str(client.port)) for text in (flag, told))
    assert told in one_line(run_script("studio.py", f"--folder={tmp_path}", "--port=0", flag, cwd=tmp_path))


# The page

DROP = """
const bytes = Uint8Array.from(atob(arguments[0]), (each) => each.charCodeAt(0)), data = new DataTransfer();
data.items.add(new File([bytes], "photo.png", { type: "image/png" }));
document.getElementById("viewer").dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
"""


@pytest.mark.slow
def test_the_page(browser, client, tmp_path):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.select import Select
    from selenium.webdriver.support.ui import WebDriverWait

    def find(css):
        return browser.find_element(By.CSS_SELECTOR, css)

    def until(reached, seconds=60):
        return WebDriverWait(browser, seconds, 0.05).until(lambda _: reached())

    def state():
        return find("#state").text

    def deed(name):
        until(lambda: find(f"[data-deed={name}]").is_displayed())
        find(f"[data-deed={name}]").click()

    Image.fromarray(picture(200, 300, 8)).save(tmp_path / "an_oil.png")
    browser.get_log("browser")
    browser.get(client.url)
    until(lambda: len(browser.find_elements(By.CSS_SELECTOR, "#learned button")) == 16)
    browser.execute_script(DROP, base64.b64encode(file_bytes(picture(300, 400, 7))).decode())
    loaded = "return document.querySelectorAll('.tiles button img[src*=thumbnail]:not(.waiting)').length"
    until(lambda: browser.execute_script(loaded) >= 17)
    find("#style-file").send_keys(str(tmp_path / "an_oil.png"))
    until(lambda: find("#shares").text == "An oil")
    Select(find("[name=image_size]")).select_by_value("128")
    Select(find("[name=weights]")).select_by_value("mini")
    browser.execute_script(
        "const i = document.querySelector('[name=iterations]'); i.value = 300; i.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    until(lambda: "at least" in find("#plan").text)
    find("#start").click()
    until(
        lambda: find("#after").get_attribute("src") and "preview.jpg" in find("#after").get_attribute("src")
    )
    until(lambda: find("#curve").is_displayed())
    deed("pause")
    until(lambda: state().startswith("Paused"))
    deed("resume")
    until(lambda: state().startswith("Painting,"))
    browser.refresh()
    until(lambda: state().startswith("Painting,"))
    assert Select(find("[name=image_size]")).first_selected_option.get_attribute("value") == "128"
    deed("stop")
    until(lambda: state().startswith("Stopped early"))
    browser.execute_script(
        "const at = document.getElementById('at'); at.value = 40; at.dispatchEvent(new Event('input'))"
    )
    assert "40%" in browser.execute_script(
        "return getComputedStyle(document.getElementById('after')).clipPath"
    )
    link = until(lambda: find("#png").get_attribute("href"))
    status, data, headers = client.get(urllib.parse.urlsplit(link).path)
    assert status == 200 and "attachment" in headers["Content-Disposition"]
    assert Image.open(io.BytesIO(data)).size == (128, 96)
    assert "--style_strength=0.5" in find("#command").get_attribute("textContent")
    # Nothing is asked for elsewhere, and nothing went wrong.
    asked = browser.execute_script("return performance.getEntriesByType('resource').map((each) => each.name)")
    assert asked and all(each.startswith(client.url) for each in asked)
    assert browser.get_log("browser") == []
