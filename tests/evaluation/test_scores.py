"""All scores together, on pictures that are good or bad in a known way."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from tfstyle import TransferConfig
from tfstyle.evaluation import Scores, evaluate
from tfstyle.io import images
from tfstyle.vgg import feature_extractor

from conftest import picture

LAYERS = {"content_layers": ("block2_conv1",), "style_layers": ("block1_conv1", "block2_conv1")}


@pytest.fixture(scope="module")
def config(narrow_file):
    return TransferConfig(weights=narrow_file, image_size=40, **LAYERS)


@pytest.fixture(scope="module")
def evaluation(files, config):
    content = images.load_fitted(files / "content.png", "content", 40)
    style = images.load_fitted(files / "style.png", "style", 40)
    noise = np.random.default_rng(0).standard_normal(content.shape)
    framed = np.array(content)
    framed[:, [0, -1]] = framed[:, :, [0, -1]] = 0
    results = {
        "same": content, "style": style, "noisy": np.clip(content + 0.1 * noise, 0, 1),
        "noisier": np.clip(content + 0.4 * noise, 0, 1), "framed": framed,
    }  # fmt: skip
    return evaluate(files / "content.png", files / "style.png", results, config, evaluations={"noisy": 7})


def test_the_content_itself(evaluation):
    for scores in (evaluation.scores["same"], evaluation.reference):
        assert (scores.content_error, scores.border, scores.seams) == (0, 1, None)
        assert (scores.ssim, scores.edges) == (pytest.approx(1), pytest.approx(1))
        assert scores.style_error > 0.01 and scores.objective > 0
    assert evaluation.scores["same"] == evaluation.reference


def test_the_style_itself(evaluation, config, files):
    # At the content's size it is another picture; as content and result, it is the style.
    assert evaluation.scores["style"].content_error > 0.01
    style = files / "style.png"
    itself = evaluate(style, style, {"style": style}, config).scores["style"]
    assert itself.style_errors == {"block1_conv1": 0, "block2_conv1": 0}
    assert itself.style_error == itself.content_error == itself.objective == 0


def test_noise_is_worse_a_frame_shows_and_sizes_are_told(evaluation):
    same, noisy, noisier = (evaluation.scores[name] for name in ("same", "noisy", "noisier"))
    assert same.content_error < noisy.content_error < noisier.content_error
    assert same.ssim > noisy.ssim > noisier.ssim
    assert same.edges > noisy.edges > noisier.edges
    assert evaluation.scores["framed"].border > 1.5
    assert evaluation.size == (30, 40)
    assert evaluation.resized == {"style": (40, 40)}
    assert {tuple(result.shape) for result in evaluation.results.values()} == {(1, 30, 40, 3)}


def test_seams_are_looked_for_before_resizing(files, config):
    tall = np.full((1, 120, 90, 3), 0.5, np.float32)
    tall[:, 96:] = 0.9
    style = files / "style.png"
    found = evaluate(files / "content.png", style, {"tall": tall}, config, tile=96).scores["tall"]
    # The one line between tiles at 96 is all step. In equal parts there is another, at 48.
    assert found.seams == pytest.approx((0.4 + 1e-3) / 1e-3, rel=1e-3)


def test_an_extractor_of_ones_own_and_several_styles(files, config, narrow_file):
    extractor = feature_extractor([*LAYERS["style_layers"]], weights=narrow_file)
    style, other = files / "style.png", picture(30, 50, seed=7)
    elsewhere = dataclasses.replace(config, weights="imagenet")
    found = evaluate(files / "content.png", [style, other], {"a": style}, elsewhere, extractor=extractor)

    def gram(source):
        features = extractor(images.load_fitted(source, "style", 40))["block1_conv1"].numpy()
        rows = features.reshape(-1, features.shape[-1]).astype(float)
        return rows.T @ rows / len(rows)

    wanted = (gram(style) + gram(other)) / 2
    made = images.resize(images.load_image(style), (30, 40))
    expected = np.sum((gram(made) - wanted) ** 2) / np.sum(wanted**2)
    assert found.scores["a"].style_errors["block1_conv1"] == pytest.approx(expected, rel=1e-4)


def test_scores_as_json(evaluation):
    values = json.loads(json.dumps(evaluation.scores["noisy"].to_dict(), allow_nan=False))
    assert list(values["style_errors"]) == ["conv1_1", "conv2_1"]
    assert values["style_error"] == pytest.approx(np.mean(list(values["style_errors"].values())))
    assert (values["seams"], values["evaluations"]) == (None, 7)
    fields = {field.name for field in dataclasses.fields(Scores)}
    assert fields | {"style_error"} == set(values)
    endless = dataclasses.replace(evaluation.reference, content_error=np.inf).to_dict()
    assert endless["content_error"] is None


def test_mistakes(files, config, tmp_path):
    good = files / "style.png"
    (tmp_path / "text.png").write_text("not a picture")
    Image.fromarray(picture(9, 12)).save(tmp_path / "tiny.png")
    own = dataclasses.replace(config, image_size=0)
    for arguments, options, message in (
        ((good, [], {"a": good}, config), {}, "style: must be at least one picture"),
        ((good, good, {}, config), {}, "results: must be at least one picture"),
        ((good, good, {"a": tmp_path / "text.png"}, config), {}, "results='.*text.png': is not a picture"),
        (
            (good, [good, tmp_path / "text.png"], {"a": good}, config),
            {},
            "style 2='.*text.png': is not a picture",
        ),
        (
            (tmp_path / "tiny.png", good, {"a": good}, own),
            {},
            "content: is 12 x 9 pixels, but .* at least 11",
        ),
        ((good, good, {"a": good}, config), {"tile": 8}, "tile=8: must be at least 32"),
    ):
        with pytest.raises(ValueError, match=message):
            evaluate(*arguments, **options)
