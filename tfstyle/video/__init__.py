"""Clips painted steadily.

clips.py        video files, animated pictures and folders of pictures as frames, one at a time
flow.py         what moves where between two frames, and where that can be trusted
scenes.py       where a new scene begins
steadiness.py   what was shown before, moved along, and a painted frame brought nearer to it; flicker
optimized.py    frames painted by optimisation, from and towards what was shown before
judging.py      how steady painted clips are
parts.py        encoded pieces of a clip, and their joining with its sound
watching.py     what reporters hear of a clip that is painted
job.py          a clip painted from beginning to end, also in several runs
extra.py        the libraries that all of it needs
"""
