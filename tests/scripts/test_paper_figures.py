"""A figure from the command line, and its page in a real browser."""

import pytest
from selenium.webdriver.common.by import By

from conftest import one_line, run_script, well

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def figure(files, narrow_file, tmp_path_factory):
    """The folder of a rendered grid of style weights, and the finished process."""
    folder = tmp_path_factory.mktemp("figures")
    flags = [
        "--figure=grid", "--rows=content_layers=conv1_2,conv2_2", "--columns=style_weight=10,500",
        f"--content={files / 'content.png'}", f"--style={files / 'style.png'}", f"--weights={narrow_file}", "--padding=zeros",
        "--image_size=40", "--iterations=4", "--log_every=2", "--optimizer=adam", "--style_layers=conv1_1,conv2_1",
        "--precision=float32", "--output=out", "--logdir=logs",
    ]  # fmt: skip
    return folder, well(run_script("paper_figures.py", *flags, cwd=folder))


def test_a_figure_from_the_command_line(figure):
    folder, process = figure
    assert process.stdout == "out/grid.png\n"
    assert "panel 4 of 4" in process.stderr and "16/16" in process.stderr
    assert len(list((folder / "out" / "grid").glob("*.png"))) == 4
    assert len(list((folder / "logs" / "grid").glob("*/*tfevents*"))) == 4
    panel = next((folder / "out" / "grid").glob("*.png"))
    well(run_script("style_transfer.py", f"--from={panel}", "--output=a.png", cwd=folder))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--figure: is missing"),
        (["--figure=grid", "--rows=seed=1"], "--columns: is missing"),
        (["--figure=grid", "--rows=seeds=1", "--columns=seed=1"], "rows='seeds=1': must be an option of --help"),
        (["--figure=grid", "--rows=seed=one", "--columns=style_weight=1"], "seed=one: must be a whole number"),
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
