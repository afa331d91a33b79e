"""The loops of TensorFlow's tutorial and of Keras' example, on the common objective.

Their optimisers and schedules are as published; Adam's steps do not depend on
the objective's scale, and SGD's are made not to. Their objectives are not: with
other terms and weights no two losses could be compared. That favours them, as
the Keras example, for one, sends all three pictures through the network at
every step, where the common objective keeps its targets.

https://www.tensorflow.org/tutorials/generative/style_transfer
https://keras.io/examples/generative/neural_style_transfer/
"""

from benchmarks.inputs import OBJECTIVE, common_objective, require_keras

# A layer's style loss in Keras' example over that in the common objective: 1e-6 / 5 / (4 * 3^2 * pixels^2)
# over style_weight / (N^4 * M^2). N^2 * M is 64^2 * pixels at the first four style layers of VGG19.
_KERAS_SCALE = 1e-6 / (5 * 4 * 3**2) * 64**4 / OBJECTIVE.style_weight


def tensorflow_tutorial(inputs, evaluations: int, recorder) -> None:
    """Adam(0.02, beta_1 0.99, epsilon 0.1) on a picture in [0, 1] that is clipped after each step."""
    tf, objective = _begin(inputs, recorder)
    picture = tf.Variable(inputs.content)
    optimizer = tf.keras.optimizers.Adam(learning_rate=0.02, beta_1=0.99, epsilon=0.1)
    optimizer.build([picture])

    @tf.function
    def step():
        loss, _, gradient = objective.value_and_gradient(picture.read_value())
        optimizer.apply_gradients([(gradient, picture)])
        picture.assign(tf.clip_by_value(picture, 0.0, 1.0))
        return loss[0]

    _repeat(step, picture, 1.0, evaluations, recorder)


def keras_example(inputs, evaluations: int, recorder) -> None:
    """SGD with a step of 100, times 0.96 every 100 steps, on a picture in Caffe's units (0 to 255).

    A step of SGD grows with its objective; here it is as long as it would be on
    the published one, which is the smaller. In those units a gradient is 1/255
    of what it is for a picture in [0, 1]. The published picture is BGR with the
    mean pixel taken off, which changes neither gradients nor steps. It is not
    clipped.
    """
    tf, objective = _begin(inputs, recorder)
    pixels = tf.Variable(255.0 * inputs.content)
    schedule = tf.keras.optimizers.schedules.ExponentialDecay(100.0 * _KERAS_SCALE, 100, 0.96)
    optimizer = tf.keras.optimizers.SGD(schedule)
    optimizer.build([pixels])

    # As published, only the evaluation is compiled.
    def step():
        loss, _, gradient = objective.value_and_gradient(pixels.read_value() / 255.0)
        optimizer.apply_gradients([(gradient / 255.0, pixels)])
        return loss[0]

    _repeat(step, pixels, 255.0, evaluations, recorder)


def _begin(inputs, recorder):
    """Imports everything, starts the clock, loads the network, and computes the targets."""
    require_keras()
    import tensorflow as tf

    from tfstyle.synthesis import objective  # noqa: F401

    recorder.start()
    return tf, common_objective(inputs)


def _repeat(step, variable, white: float, evaluations: int, recorder) -> None:
    """Makes the steps; a record holds the picture that was evaluated, not the one stepped to."""
    for done in range(1, evaluations + 1):
        before = variable.read_value() if recorder.due(done) else None
        loss = step()
        if before is not None:
            recorder.record(done, loss, before / white)
