import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle.synthesis.starts import initial_image, parse

from conftest import picture

SIZE = (12, 16)
CONTENT = tf.constant(picture(24, 32, seed=1)[np.newaxis] / np.float32(255))
STYLE = tf.constant(picture(30, 20, seed=2)[np.newaxis] / np.float32(255))


def start(init, seed=0):
    return initial_image(init, SIZE, content=CONTENT, style=STYLE, seed=seed).numpy()


def test_single_starts():
    for init in ("content", "style", "noise"):
        assert start(init).shape == (1, *SIZE, 3)
    np.testing.assert_allclose(start("content").mean((1, 2)), CONTENT.numpy().mean((1, 2)), atol=0.02)
    # 30 x 20 fills 12 x 16 at 24 x 16; the middle 12 rows are kept.
    expected = tf.image.resize(STYLE, (24, 16), "bicubic", antialias=True)[:, 6:18]
    np.testing.assert_allclose(start("style"), np.clip(expected, 0, 1), atol=1e-6)


def test_noise_is_seeded_and_white():
    np.testing.assert_array_equal(start("noise", 1), start("noise", 1))
    assert np.abs(start("noise", 1) - start("noise", 2)).mean() > 0.1
    noise = initial_image("noise", (200, 200)).numpy()
    assert noise.min() >= 0 and noise.max() <= 1
    assert noise.mean() == pytest.approx(0.5, abs=0.002)
    assert noise.std() == pytest.approx(0.1, abs=0.002)
    right = np.corrcoef(noise[:, :, 1:].ravel(), noise[:, :, :-1].ravel())[0, 1]
    assert abs(right) < 0.02


def test_files_and_blends_which_are_shares_of_their_sum(tmp_path):
    Image.fromarray(picture(12, 16)).save(tmp_path / "a+b.png")  # a plus sign does not make a blend
    np.testing.assert_allclose(start(str(tmp_path / "a+b.png"))[0], picture(12, 16) / 255, atol=1e-6)
    Image.fromarray(picture(12, 16)).save(tmp_path / "a.png")
    blended = start(f"3*content + 1*{tmp_path / 'a.png'}")
    expected = 0.75 * start("content") + 0.25 * picture(12, 16) / 255
    np.testing.assert_allclose(blended, expected, atol=1e-6)


def test_parse():
    assert parse("content") == [(1.0, "content")]
    assert parse("0.7*content+0.3*noise") == [(0.7, "content"), (0.3, "noise")]
    assert parse("1e-1*style+0*noise") == [(1.0, "style")]
    assert parse("my+file.png") == [(1.0, "my+file.png")]
    with pytest.raises(ValueError, match="add up to more than 0"):
        parse("0*content+0*noise")


def test_starts_that_cannot_be(tmp_path):
    with pytest.raises(ValueError, match="init='style': this run has no style picture"):
        initial_image("style", SIZE, content=CONTENT)
    with pytest.raises(OSError, match="init='nois': must be content, style, noise, an existing picture file"):
        start("nois")
    (tmp_path / "text.png").write_text("text")
    with pytest.raises(ValueError, match=r"init=.*is not a picture"):
        start(str(tmp_path / "text.png"))
