"""tfstyle: neural style transfer (Gatys, Ecker & Bethge, CVPR 2016) in TensorFlow and Keras.

Names are loaded when they are first used, so that ``import tfstyle`` does not
wait for TensorFlow.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "PRESETS": "presets",
    "InstantStylizer": "instant.stylizer",
    "TransferConfig": "config",
    "feature_extractor": "features",
    "normalize_activations": "features",
    "content_loss": "losses",
    "gram_matrix": "losses",
    "style_loss": "losses",
    "total_variation": "losses",
    "Objective": "objective",
    "ImageTerm": "terms",
    "SummedTerm": "terms",
    "Term": "terms",
    "Plan": "planning",
    "ConsoleReporter": "reporting",
    "ProfileReporter": "reporting",
    "Progress": "reporting",
    "Reporter": "reporting",
    "SnapshotReporter": "reporting",
    "TensorBoardReporter": "reporting",
    "Result": "synthesis",
    "synthesize": "synthesis",
    "explain_transfer": "tasks",
    "plan_transfer": "tasks",
    "reconstruct_content": "tasks",
    "reconstruct_style": "tasks",
    "transfer": "tasks",
    "Workshop": "workshop",
    "transfer_batch": "together",
    "StyleTargets": "targets",
    "style_targets": "measuring",
    "stylize_dataset": "pipelines",
    "stylizer": "pipelines",
    "read_records": "tfrecords",
    "write_dataset": "tfrecords",
    "write_records": "tfrecords",
    "ContentLoss": "perceptual",
    "GramMatrix": "perceptual",
    "StyleLoss": "perceptual",
    "TotalVariationLoss": "perceptual",
    "export_extractor": "export",
    "export_transfer": "export",
    "load_image": "images",
    "save_image": "images",
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
