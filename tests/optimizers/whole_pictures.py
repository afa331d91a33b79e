"""Coefficients of whole pictures, as the optimiser takes them."""

from tfstyle.optimizers.cosine_transform import cosines, from_cosines, from_planes, planes


def coefficients(image):
    """Turns a picture `[1, H, W, 3]` into cosine coefficients of opponent colours `[3, H, W]`."""
    return cosines(planes(image))


def from_coefficients(values):
    """Turns coefficients `[3, H, W]` back into a picture `[1, H, W, 3]`."""
    return from_planes(from_cosines(values))
