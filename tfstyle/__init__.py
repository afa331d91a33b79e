"""tfstyle: neural style transfer (Gatys, Ecker & Bethge, CVPR 2016) in TensorFlow and Keras.

The public names are listed in ``__init__.pyi``. They are loaded when they are
first used, so that ``import tfstyle`` does not wait for TensorFlow.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
