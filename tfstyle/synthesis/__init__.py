"""One picture, or several together, downhill on one objective.

inputs.py            pictures, masks and colours prepared; what of a picture is painted
term_options.py      the terms that a config describes, and their network
objective.py         the weighted sum of terms and its gradient, for a batch of pictures
objectives.py        the objectives of a run, one a size
plan.py              what a run will take, and how each size is evaluated; memory_model.py the bytes
scales.py            how large pictures are, sizes from coarse to fine, and how many iterations at each
starts.py            content, style, noise, a picture or a blend
session.py           a run on its way: stages, steps, recoveries; loop.py the sizes one after another
recovery.py          the best picture so far, whether the objective falls, and what is tried where it does not
style_targets.py     a style measured before a run
pictures.py          from inputs to results
graph_transfer.py    an objective and a whole transfer inside a graph
"""
