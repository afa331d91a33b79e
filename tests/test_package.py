"""The package's face."""

import subprocess
import sys

import pytest

import tfstyle


def test_every_public_name_is_there_and_those_that_others_call():
    for name in tfstyle.__all__:
        assert getattr(tfstyle, name) is not None
    promised = {
        "feature_extractor", "gram_matrix", "content_loss", "style_loss", "total_variation", "TransferConfig",
        "transfer", "reconstruct_content", "reconstruct_style", "synthesize", "Result", "Progress", "Reporter",
        "PRESETS", "normalize_activations",
    }  # fmt: skip
    assert promised <= set(tfstyle.__all__)


def test_functions_are_not_hidden_by_modules_and_unknown_names_are_none():
    import tfstyle.api.transfer
    import tfstyle.config.transfer

    assert callable(tfstyle.transfer)
    assert callable(tfstyle.synthesize)
    with pytest.raises(AttributeError, match="transfers"):
        _ = tfstyle.transfers


def test_import_does_not_wait_for_tensorflow():
    code = "import sys, tfstyle; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_star_import():
    names = {}
    exec("from tfstyle import *", names)
    assert set(tfstyle.__all__) <= set(names)
