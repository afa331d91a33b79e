import pytest
from encoder.recipe import EncoderRecipe


def test_a_recipe_survives_json():
    recipe = EncoderRecipe(widths=(4, 6, 8, 8, 8), zoom=(0.5, 1), adversarial=0.25)
    assert EncoderRecipe(**recipe.to_dict()) == recipe
    assert recipe.deepest_layer == "block5_conv2"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widths": (1, 2)}, "widths=1,2: must be five"),
        ({"widths": ("a",) * 5}, "widths=a: must be five whole numbers"),
        ({"depths": (2, 2, 5, 4, 4)}, "depths=2,2,5,4,4: must be at most VGG19's"),
        ({"batch_size": 7}, "batch_size=7: must be even"),
        ({"steps": 0}, "steps=0: must be a whole number, 1 or above"),
        ({"zoom": (2, 1)}, "zoom=2.0,1.0: must be two numbers"),
        ({"zoom": (0, 1)}, "zoom=0.0,1.0: must be two numbers"),
        ({"exemplar_weight": 0, "gram_weight": 0}, "one must be above 0"),
        ({"normalization": "layer"}, "normalization='layer': must be one of weight, batch"),
        ({"learning_rate": float("nan")}, "learning_rate=nan: must be a finite number"),
    ],
)
def test_what_makes_no_sense_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        EncoderRecipe(**options)
