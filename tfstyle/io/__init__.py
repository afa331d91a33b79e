"""Pictures and files: everything that is read and written, with no knowledge of networks.

images.py           pictures as tensors: paths, PIL, arrays and tensors to `[1, H, W, 3]` float32
decode.py           files and arrays to pixels in NumPy: depth, orientation, profile, opacity
pixels.py           what is painted behind transparency, and light apart from colour, in NumPy
encode.py           pixels to files, with a note of how they were made
graph_decode.py     decoding inside a TensorFlow graph
formats.py          which file formats are read
sheets.py           labelled pictures as one
charts.py           series of values as a picture of lines
masks.py            regions from label images and grey masks
color.py            luminance, and one picture's colours brought to another's
tfrecords.py        pictures in TFRecord files
files.py            files that are whole or absent, hashes, folders, the cache
store.py            files by path or URL, and those of pictures by folder, glob or name
untrusted.py        .npz and JSON from elsewhere, read within bounds
"""
