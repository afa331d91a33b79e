"""The small encoder that ships with the package (weights="mini"): how it is trained and judged.

recipe.py     the options of a training
crops.py      photographs to batches of random views
footprint.py  what memory a training takes
trunk.py      the network while it is trained, and what it folds to
tasks.py      what it is trained to tell
training.py   the loop
retrieval.py  how well Gram matrices know a style
"""
