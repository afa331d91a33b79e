"""The embedded network (weights="mini"): a thin student that predicts VGG19's activations.

recipe.py      the options of a training
network.py     teacher and student as functions of their weights
pictures.py    photographs and paintings: read, held out, cropped
regression.py  the start: each layer fitted to VGG19's by least squares
pairs.py       half-painted pictures that the student itself paints while it learns
training.py    the loss, the step and the loop
evaluation.py  how near activations and Gram matrices come, layer by layer
"""
