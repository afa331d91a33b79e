"""tfstyle: neural style transfer (Gatys, Ecker & Bethge, CVPR 2016) in TensorFlow and Keras.

Names are loaded when they are first used, so that ``import tfstyle`` does not
wait for TensorFlow.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "PRESETS": "config.presets",
    "InstantStylizer": "feedforward.stylizer",
    "TransferConfig": "config.transfer",
    "feature_extractor": "vgg",
    "normalize_activations": "vgg",
    "content_loss": "losses.paper",
    "gram_matrix": "losses.paper",
    "style_loss": "losses.paper",
    "total_variation": "losses.paper",
    "Objective": "synthesis.objective",
    "ImageTerm": "losses.terms",
    "SummedTerm": "losses.terms",
    "Term": "losses.terms",
    "Plan": "synthesis.plan",
    "ConsoleReporter": "reporting",
    "ProfileReporter": "reporting",
    "Progress": "reporting",
    "Reporter": "reporting",
    "SnapshotReporter": "reporting",
    "TensorBoardReporter": "reporting",
    "Result": "synthesis.loop",
    "synthesize": "synthesis.loop",
    "explain_transfer": "api.transfer",
    "plan_transfer": "api.transfer",
    "reconstruct_content": "api.transfer",
    "reconstruct_style": "api.transfer",
    "transfer": "api.transfer",
    "Workshop": "runtime.workshop",
    "transfer_batch": "api.batch",
    "StyleTargets": "losses.targets",
    "style_targets": "synthesis.measure",
    "stylize_dataset": "api.dataset",
    "stylizer": "api.dataset",
    "read_records": "io.tfrecords",
    "write_dataset": "io.tfrecords",
    "write_records": "io.tfrecords",
    "ContentLoss": "losses.keras_losses",
    "GramMatrix": "losses.keras_losses",
    "StyleLoss": "losses.keras_losses",
    "TotalVariationLoss": "losses.keras_losses",
    "export_extractor": "export.savedmodel",
    "export_transfer": "export.savedmodel",
    "load_image": "io.images",
    "save_image": "io.images",
}
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted([*globals(), *__all__])
