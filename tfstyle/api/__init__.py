"""What most people call: one function for each thing to be made.

transfer.py    `transfer`, the two reconstructions, and what a transfer would take
batch.py       contents times styles
size_groups.py pictures of one size together
dataset.py     transfers inside `tf.data`
provenance.py  the record inside a picture from which it can be made again
"""
