"""The machine and the process: memory, precision, determinism, what is kept between runs and shared.

memory.py       what memory there is, and whether it suffices; memory_model.py what runs take
precision.py    whether bfloat16 pays here, found out by trying
determinism.py  the same bits each time
locks.py        folders that one process works in at a time
checkpoints.py  a run's state in a folder: numbers and text, the last two, each whole
stopping.py     what may end a long run early: deadlines, requests
workshop.py     networks and compiled functions that the runs of a process share
structure.py    functions as data, by which they are told apart
"""
