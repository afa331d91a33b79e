import pytest

from tfstyle.config.layer_names import canonical_name, paper_name, require_known


def test_both_spellings_mean_the_same_layer():
    assert canonical_name("conv4_2") == canonical_name("block4_conv2") == "block4_conv2"
    assert paper_name("block4_conv2") == "conv4_2"


def test_other_names_are_kept():
    assert canonical_name("mixed3") == "mixed3"
    assert paper_name("mixed3") == "mixed3"


def test_unknown_layer_is_answered_with_the_nearest():
    known = ["block1_conv1", "block4_conv2", "block4_conv1"]
    with pytest.raises(ValueError, match=r"content_layers: unknown layer 'block4_conv9'.*block4_conv2"):
        require_known("content_layers", ["block4_conv9"], known)


def test_known_layers_pass():
    require_known("content_layers", ["b"], ["a", "b"])
