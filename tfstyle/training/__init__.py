"""The training of feed-forward networks.

recipe.py           the options of a training
dataset.py          photographs to training batches, and those kept from training
own_losses.py       what a network's pictures are not to have
tasks.py            what networks are trained to, and a task for a set of styles
arbitrary_training.py  the task for any style, and its style pictures
distribution.py     several devices or machines
learner.py          a task in training
training_loop.py    steps, means between reports, and a state to go on from
training.py         the training of a task
memory_model.py     what a training takes, and whether it is there
comparison.py       a network's pictures beside those of an optimisation
"""
