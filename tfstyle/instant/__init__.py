"""Styles in one pass: feed-forward networks that have learned what `transfer` finds step by step.

layers.py       convolutions without a frame, and one normalisation per style
networks.py     the networks, and how to run one with statistics of one's own
recipe.py       the options of a training
photographs.py  photographs to training batches
training.py     the loop
"""
