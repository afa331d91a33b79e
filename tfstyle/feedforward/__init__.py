"""Styles in one pass: feed-forward networks that have learned what `transfer` finds step by step.

Networks
  layers.py         convolutions without a frame, and one normalisation per style
  networks.py       networks for a set of styles, and how to run one with statistics of one's own
  style_network.py  networks for any style
  style_colors.py   the photograph's colours, brought to those of a style

Use
  cards.py           folders of networks, and what they say of them; model_card.py the page for people
  loading.py         exported networks back as Keras networks
  style_mixing.py    how much of each style
  large_pictures.py  large pictures, strip by strip
  painting.py        pictures of any size
  sizes.py           those that networks work at, and strokes that grow with the picture
  onnx_network.py    ONNX files of networks, and pictures by them without TensorFlow
  stylizer.py        a network as a Keras layer
"""
