"""Many pictures in many styles, on one machine or on many.

    work.py           what is to be made, and what outputs are called
    sources.py        where contents and styles come from: folders, globs, TFRecords
    store.py          files, here or wherever Beam's filesystems reach
    ledger.py         what is finished and what failed, one record a picture
    attempts.py       trying again what may have failed by chance
    maker.py          what a worker does: load, make, write
    painter.py        small pictures by one graph that is compiled once
    groups.py         pictures of one size together, few in memory
    local.py          the run on one machine, through tf.data
    beam_pipeline.py  the run on Apache Beam
    watching.py       how many, how fast, and what failed, while it goes

Only `beam_pipeline` imports Apache Beam when it is imported, and only what
computes imports TensorFlow, so that scripts parse their flags at once.
"""
