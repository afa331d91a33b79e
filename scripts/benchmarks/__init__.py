"""The parts of the benchmark: who takes part, how a run is observed, what becomes of its numbers.

contestants.py     who takes part, by name, and how one run of each is made
torch_peer.py      style transfer in PyTorch: the reference
tutorial_loops.py  the loops of TensorFlow's tutorial and of Keras' example
inputs.py          pictures and weights that all share, and the objective that judges all
recorder.py        when a run had come how far, and its picture then
own_process.py     a function in a process of its own
company.py         how much of the machine other programs took
ceilings.py        what an evaluation computes, and how fast this machine multiplies matrices
comparison.py      the benchmark: all in turn, several times over
summary.py         from the records of runs to medians and ratios
report.py          the files it leaves behind, with tables.py and curves.py
sizes.py           the second benchmark: how time and memory grow with the picture
announcer.py       what is running, and how long it will take

Only inputs, contestants, tutorial_loops and ceilings import TensorFlow, inside
their functions: a run of PyTorch shall hold no more than PyTorch's own memory.
"""
