"""Coefficients of whole pictures, which the optimiser takes plane by plane."""

from tfstyle.optimizers.spectrum import cosines, each_plane, from_cosines, from_planes, planes


def coefficients(image):
    """Turns a picture `[1, H, W, 3]` into cosine coefficients of opponent colours `[3, H, W]`."""
    return each_plane(cosines, planes(image))


def from_coefficients(values):
    """Turns coefficients `[3, H, W]` back into a picture `[1, H, W, 3]`."""
    return from_planes(each_plane(from_cosines, values))
