"""The libraries of the extra ``video``, imported when a clip is."""

from __future__ import annotations

import importlib
from types import ModuleType


def imported(name: str) -> ModuleType:
    """Returns PyAV, ``av``, or OpenCV, ``cv2``.

    Raises:
      ValueError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise ValueError("video: needs PyAV and OpenCV: pip install 'tfstyle[video]'") from None
