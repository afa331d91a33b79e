"""Named, weighted terms, and what of a style they match. Nothing here knows of files or of optimisers.

paper.py           the paper's equations as pure functions of tensors: Gram, content, style, total variation
terms.py           terms of an objective: of a picture, or of sums over a network's activations
statistics.py      the statistics of activations that a style can be: what each promises, Gram matrices,
                   variances and covariances; histogram.py distributions
style.py           a style's terms: a statistic of each layer, in each region
regions.py         which styles go where
measuring.py       style pictures measured: what the terms hold a picture to
targets.py         a style measured once, and stacked for a graph; target_file.py its arrays in a file
equivalents.py     a run's weights in the units of other codes
strength.py        the style's weight as a number from 0 to 1
photorealism.py    the matting Laplacian and the guided filter; box_filter.py sums in windows
keras_losses.py    the losses as `keras.losses.Loss`
"""
