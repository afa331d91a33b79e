"""What people look at, in a real browser: a figure's page, and TensorBoard on a sweep."""

import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from conftest import one_line, run_script

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def figure(files, narrow_file, tmp_path_factory):
    """The folder of a rendered grid of style weights, its TensorBoard runs, and the finished process."""
    folder = tmp_path_factory.mktemp("figures")
    process = run_script(
        "paper_figures.py", "--figure=grid", "--rows=content_layers=conv1_2,conv2_2", "--columns=style_weight=10,500",
        f"--content={files / 'content.png'}", f"--style={files / 'style.png'}", f"--weights={narrow_file}", "--padding=zeros",
        "--image_size=40", "--iterations=4", "--log_every=2", "--optimizer=adam", "--style_layers=conv1_1,conv2_1",
        "--precision=float32", "--output=out", "--logdir=logs", cwd=folder,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    return folder, process


def test_a_figure_from_the_command_line(figure):
    folder, process = figure
    assert process.stdout == "out/grid.png\n"
    assert "panel 4 of 4" in process.stderr and "16/16" in process.stderr
    assert len(list((folder / "out" / "grid").glob("*.png"))) == 4
    panel = next((folder / "out" / "grid").glob("*.png"))
    again = run_script("style_transfer.py", f"--from={panel}", "--output=a.png", cwd=folder)
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--figure: is missing"),
        (["--figure=grid", "--rows=seed=1"], "--columns: is missing"),
        (["--figure=grid", "--rows=seeds=1", "--columns=seed=1"], "rows='seeds=1': must be an option of --help"),
        (["--figure=grid", "--rows=seed=one", "--columns=style_weight=1"], "seed=one: must be a whole number"),
        (["--figure=photo"], "--style: is missing; figure=photo needs a picture file"),
        (["--figure=photo", "--profile", "--style=style.png"], "profile=true: needs --logdir"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(files, narrow_file, tmp_path, flags, message):
    usual = ["--content=content.png", f"--weights={narrow_file}", f"--output={tmp_path}"]
    assert message in one_line(run_script("paper_figures.py", *usual, *flags, cwd=files))


def test_page_enlarges_panels(browser, figure):
    browser.get((figure[0] / "out" / "grid.html").as_uri())
    pictures = browser.find_elements(By.CSS_SELECTOR, ".panel img")
    assert [int(picture.get_property("naturalWidth")) for picture in pictures] == [40] * 4
    dialog = browser.find_elements(By.TAG_NAME, "dialog")[3]
    assert not dialog.is_displayed()
    browser.find_elements(By.CSS_SELECTOR, ".panel")[3].click()
    assert dialog.is_displayed()
    large = dialog.find_element(By.TAG_NAME, "img")
    assert large.is_displayed() and int(large.get_property("naturalWidth")) == 40
    for text in ("style_weight\n500.0", "--from=", "style/block2_conv1", "evaluations"):
        assert text.replace("\n", " ") in dialog.text.replace("\n", " ")
    dialog.find_element(By.TAG_NAME, "button").click()
    assert not dialog.is_displayed()
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.fixture(scope="module")
def tensorboard(figure):
    """The address of a server on the figure's runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "tensorboard.main", "--logdir=logs", "--host=127.0.0.1", f"--port={port}",
    ]  # fmt: skip
    server = subprocess.Popen(command, cwd=figure[0], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(20)


def served(address):
    try:
        with urllib.request.urlopen(f"{address}/data/runs", timeout=5) as answer:
            return len(answer.read()) > 10
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def test_tensorboard_shows_pictures_and_sweep(browser, tensorboard):
    wait = WebDriverWait(browser, 60, ignored_exceptions=())
    wait.until(lambda _: served(tensorboard))
    browser.get(f"{tensorboard}/#images")

    def shown(_):
        pictures = browser.execute_script(
            """const found = [];
            const search = root => { for (const node of root.querySelectorAll("*")) {
              if (node.tagName === "IMG") found.push(node.naturalWidth);
              if (node.shadowRoot) search(node.shadowRoot);
            } };
            search(document);
            return found;"""
        )
        return len([width for width in pictures if width == 40]) >= 4

    wait.until(shown)  # the last snapshot of each of the four runs
    browser.get("about:blank")
    browser.get(f"{tensorboard}/#hparams")

    def text(_):
        frames = browser.find_elements(By.TAG_NAME, "iframe")
        script = """const texts = [];
            const search = root => { for (const node of root.querySelectorAll("*")) {
              if (node.shadowRoot) search(node.shadowRoot);
              else if (!node.children.length) texts.push(node.textContent.trim());
            } };
            search(document);
            return texts.join("|");"""
        seen = browser.execute_script(script)
        for frame in frames:
            browser.switch_to.frame(frame)
            seen += browser.execute_script(script)
            browser.switch_to.default_content()
        return seen if "500.00" in seen and "10.000" in seen else False

    seen = wait.until(text)
    assert "style_weight" in seen and "content_layers" in seen
