"""Many pictures in many styles, on one machine or on many.

orders.py         what is to be made, what outputs are called, and trying again what may have failed by chance
sources.py        where contents and styles come from: folders, globs, TFRecords
manifest.py       what is finished and what failed, one record a picture
inspection.py     whether a picture is still to be made, its size and its pixels
worker.py         load, make, write; graph_worker.py small pictures by one graph that is compiled once
job.py            a run from its beginning to its manifest
local.py          the run on one machine, through tf.data
beam.py           the run on Apache Beam
board.py          how many, how fast, and what failed, while it goes
stylize_files.py  files painted by a feed-forward network

Only `beam` imports Apache Beam when it is imported, and only what computes
imports TensorFlow, so that commands parse their flags at once.
"""
