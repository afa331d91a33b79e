"""What the objective sees of a picture, and what becomes of it."""

import numpy as np
import tensorflow as tf

from tfstyle.synthesis.compositing import Compositing

from conftest import picture

CONTENT = tf.constant(picture(12, 16, seed=1)[np.newaxis] / 255.0, tf.float32)
IMAGE = tf.constant(picture(12, 16, seed=2)[np.newaxis] / 255.0, tf.float32)
MASK = np.zeros((1, 12, 16, 1), np.float32)
MASK[:, :, :6], MASK[:, :, 6:8] = 1.0, 0.5

# Rec. 601: R, G, B to Y, I, Q.
YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])


def test_ordinary_compositing_changes_nothing():
    compositing = Compositing(CONTENT)
    assert compositing.seen_at((12, 16)) is None
    np.testing.assert_array_equal(compositing.finished(IMAGE), IMAGE)
    np.testing.assert_array_equal(Compositing().finished(2 * IMAGE - 0.5), np.clip(2 * IMAGE - 0.5, 0, 1))


def test_outside_of_the_mask_the_content_is_seen_and_stays():
    compositing = Compositing(CONTENT, tf.constant(MASK))
    expected = MASK * IMAGE + (1 - MASK) * CONTENT
    np.testing.assert_allclose(compositing.seen_at((12, 16))(IMAGE), expected, atol=1e-6)
    np.testing.assert_allclose(compositing.finished(IMAGE), expected, atol=1e-6)
    np.testing.assert_array_equal(compositing.finished(IMAGE)[:, :, 8:], CONTENT[:, :, 8:])


def test_nothing_pulls_at_what_is_not_painted():
    compositing = Compositing(CONTENT, tf.constant(MASK), light_only=True)
    with tf.GradientTape() as tape:
        tape.watch(IMAGE)
        loss = tf.reduce_sum(tf.square(compositing.seen_at((12, 16))(IMAGE)))
    gradient = tape.gradient(loss, IMAGE).numpy()
    assert np.all(gradient[:, :, 8:] == 0) and np.all(gradient[:, :, :6] != 0)


def test_light_alone_keeps_the_contents_colours():
    # Colours so near to grey that no light drives them out of [0, 1].
    content = 0.5 + 0.1 * (CONTENT - 0.5)
    compositing = Compositing(content, light_only=True)
    seen = compositing.seen_at((12, 16))(IMAGE).numpy()
    np.testing.assert_array_equal(seen[..., 0], seen[..., 1])
    light = 0.3 + 0.4 * IMAGE
    before, after = (p.numpy() @ YIQ.T for p in (content, compositing.finished(light)))
    np.testing.assert_allclose(after[..., 1:], before[..., 1:], atol=1 / 2550)
    np.testing.assert_allclose(after[..., 0], (light.numpy() @ YIQ.T)[..., 0], atol=1e-3)


def test_at_another_size():
    compositing = Compositing(CONTENT, tf.constant(MASK), light_only=True)
    half = tf.image.resize(IMAGE, (6, 8))
    assert compositing.seen_at((6, 8))(half).shape == half.shape
    assert compositing.finished(half).shape == half.shape


def test_guided_takes_the_contents_edges():
    """Noise goes where the content is flat; its own edge stays."""
    flat = np.full((1, 48, 48, 3), 0.3, np.float32)
    flat[:, :, 24:] = 0.7
    noise = np.random.default_rng(0).normal(0, 0.1, flat.shape).astype(np.float32)
    finished = Compositing(tf.constant(flat), guided=True).finished(tf.constant(flat + noise)).numpy()
    assert np.std(finished[:, 4:-4, 4:20]) < 0.3 * np.std(noise)
    step = finished[0, 8:-8, 26:30].mean() - finished[0, 8:-8, 18:22].mean()
    assert step > 0.3
