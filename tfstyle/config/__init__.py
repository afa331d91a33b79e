"""What a run is asked to do, as frozen values; nothing here imports TensorFlow.

transfer.py     `TransferConfig`: every setting of a run, its default and its help text
presets.py      named settings: tfstyle's own, the paper's, those of well-known codes
options.py      dataclass fields with default, help and choices, the checks of their values, durations
layer_names.py  names of layers, in Keras' spelling and the paper's
units.py        what weight 1 means in the paper and in well-known codes
"""

from tfstyle.config.presets import DEFAULT_PRESET, PRESETS, preset
from tfstyle.config.transfer import TransferConfig

__all__ = ["DEFAULT_PRESET", "PRESETS", "TransferConfig", "preset"]
