"""Styles in one pass: feed-forward networks that have learned what `transfer` finds step by step.

Networks
  layers.py         convolutions without a frame, and one normalisation per style
  networks.py       networks for a set of styles, and how to run one with statistics of one's own
  adain.py          the statistics of one picture given to another
  style_network.py  networks for any style

Training
  recipe.py         the options of a training
  photographs.py    photographs to training batches, and those kept from training
  tasks.py          what networks are trained to, and a task for a set of styles
  arbitrary.py      the task for any style
  distribution.py   several devices or machines
  learner.py        a task in training
  training.py       the training of a task, on the loop of `tfstyle.training`

Use
  cards.py          what a folder says of its network
  loading.py        exported networks back as Keras networks
  mixtures.py       how much of each style
  strips.py         large pictures, strip by strip
  painting.py       pictures of any size
  stylizer.py       a network as a Keras layer
  folders.py        files
  signed.py         SavedModels of networks for any style
  lite.py           LiteRT files
"""
