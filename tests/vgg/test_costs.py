import numpy as np

from tfstyle.vgg import feature_extractor
from tfstyle.vgg.costs import costs


def test_counted_by_hand(narrow_file):
    """Filters 4, 4, pool, 6 on 8 x 12 pixels; 96 positions, then 24."""
    extractor = feature_extractor(["conv1_1", "conv2_1"], weights=narrow_file)
    found = costs(extractor, ["block2_conv1"], (8, 12))
    convolutions = 2 * 9 * (3 * 4 * 96 + 4 * 4 * 96 + 4 * 6 * 24)
    gram = 2 * 6 * 6 * 24
    assert found.operations == 2 * (convolutions + gram)
    assert found.kept == 4 * 96 + 4 * 96 + 4 * 24 + 6 * 24
    assert found.widest == 4 * 96


def test_vgg19_has_its_well_known_number_of_operations():
    """VGG19's convolutions take 19.5 GFLOP-pairs at 224 px (Simonyan & Zisserman); to conv5_1 all but three of them."""
    extractor = feature_extractor(["conv5_4"], weights="random")
    forward = costs(extractor, [], (224, 224)).operations / 2
    np.testing.assert_allclose(forward / 2, 19.5e9, rtol=0.01)
