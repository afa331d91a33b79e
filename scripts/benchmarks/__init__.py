"""The parts of the benchmark: who takes part, how a run is observed, what becomes of its numbers.

contestants.py     who takes part, by name, and how one run of each is made
earlier.py         another version of tfstyle, from its checkout
torch_peer.py      style transfer in PyTorch: the reference
tutorial_loops.py  the loops of TensorFlow's tutorial and of Keras' example
inputs.py          pictures and weights that all share, and the objective that judges all
running.py         runs in processes of their own: announced, recorded, and how much others took meanwhile
comparison.py      the benchmark: all in turn, several times over
summary.py         from the records of runs to medians and ratios
report.py          the files it leaves behind, with tables.py
looks.py           how soon pictures look as well as neural-style-pt's
sizes.py           the second benchmark: how time and memory grow with the picture
batches.py         the third one: several pictures, in all ways there are
growth.py          memory after few and after many steps, for scripts/development/memory_growth.py

TensorFlow is imported inside functions alone: a run of PyTorch shall hold no more than PyTorch's own memory.
"""
