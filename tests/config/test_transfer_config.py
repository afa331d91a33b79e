import dataclasses
import json
import math
import subprocess
import sys

import pytest

from tfstyle.config import PRESETS, TransferConfig
from tfstyle.config.layer_names import canonical_name, paper_name, require_known


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("style_weight", -1.0), ("content_weight", math.nan), ("tv_weight", math.inf), ("learning_rate", 0.0),
        ("iterations", 0), ("iterations", 2.5), ("image_size", -1), ("scales", -1), ("finer_share", 0),
        ("memory_limit", -1), ("evaluation", "fast"), ("seed", -1), ("log_every", 0), ("lbfgs_history", 0),
        ("optimizer", "newton"), ("style_loss", "mean"), ("style_strength", 1.01), ("style_strength", -0.1),
        ("style_scale", 0.0), ("style_blend", (1.0, -1.0)), ("style_blend", (0.0, 0.0)), ("blend", "both"),
        ("tv_loss", "l2"), ("color", "grey"), ("color_matching", "mean"), ("photorealistic", "yes"),
        ("photorealistic_weight", -1.0), ("postprocess", "blur"), ("averaging", 1.0), ("beta_1", 1.5),
        ("adam_epsilon", 0.0), ("learning_rate_decay", 0.0), ("scale_factor", 1.0), ("pooling", "min"),
        ("padding", "wrap"), ("precision", "float16"), ("units", "metric"), ("init", ""), ("weights", ""),
        ("style_layers", ()), ("style_layer_weights", (1.0, 2.0)), ("normalize", "yes"),
    ],
)  # fmt: skip
def test_bad_values_are_named(field, value):
    with pytest.raises(ValueError, match=f"^{field}="):
        TransferConfig(**{field: value})


def test_a_layer_twice_is_refused_in_either_spelling():
    with pytest.raises(ValueError, match="twice"):
        TransferConfig(style_layers=("conv1_1", "block1_conv1"))


@pytest.mark.parametrize("style", [{"style_weight": 0.0}, {"style_layer_weights": (0.0,) * 5}])
def test_nothing_to_make_is_refused(style):
    with pytest.raises(ValueError, match=r"content_weight=0 and style_weight="):
        TransferConfig(content_weight=0.0, **style)


def test_spelling_of_layers_does_not_matter():
    assert TransferConfig(content_layers=("conv4_2",)) == TransferConfig(content_layers="block4_conv2")


def test_json_round_trip_is_exact_and_every_field_has_help():
    for config in (*PRESETS.values(), TransferConfig(style_layer_weights=(0.1, 0.2, 0.3, 0.4, 1 / 3))):
        assert TransferConfig(**json.loads(json.dumps(config.to_dict()))) == config
    assert all(field.metadata["help"] for field in dataclasses.fields(TransferConfig))


def test_config_does_not_import_tensorflow():
    code = "import sys, tfstyle.config; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("kind", ["content_weight", "style_weight"])
def test_strength_is_a_share_between_two(kind):
    with pytest.raises(
        ValueError, match=r"^style_strength=0.5: needs content_weight and style_weight above 0"
    ):
        TransferConfig(style_strength=0.5, **{kind: 0.0})


@pytest.mark.parametrize(
    ("changes", "network"),
    [
        ({}, "mini"),
        ({"coarse_weights": "same"}, "imagenet"),
        ({"weights": "random"}, "random"),
        ({"weights": "random", "coarse_weights": "mini"}, "mini"),
        ({"pooling": "average"}, "imagenet"),
        ({"normalize": True}, "imagenet"),
        ({"style_layers": ("conv1_1", "conv4_4")}, "imagenet"),
    ],
)
def test_the_network_of_coarse_scales(changes, network):
    assert TransferConfig(**changes).coarse_network == network


# Names of layers.


def test_both_spellings_mean_the_same_layer_and_other_names_are_kept():
    assert canonical_name("conv4_2") == canonical_name("block4_conv2") == "block4_conv2"
    assert paper_name("block4_conv2") == "conv4_2"
    assert canonical_name("mixed3") == "mixed3"
    assert paper_name("mixed3") == "mixed3"


def test_known_layers_pass_and_others_are_answered_with_the_nearest():
    known = ["block1_conv1", "block4_conv2", "block4_conv1"]
    with pytest.raises(ValueError, match=r"content_layers: unknown layer 'block4_conv9'.*block4_conv2"):
        require_known("content_layers", ["block4_conv9"], known)
    require_known("content_layers", ["b"], ["a", "b"])
