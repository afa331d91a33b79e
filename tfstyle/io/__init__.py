"""Pictures and files: everything that is read and written, with no knowledge of networks.

images.py           pictures in and out: paths, PIL, arrays and tensors to `[1, H, W, 3]` float32, and back
decode.py           files and arrays to pixels in NumPy: depth, orientation, profile, opacity
graph_decode.py     the same inside a TensorFlow graph
formats.py          which file formats are read
masks.py            regions from label images and grey masks
color.py            luminance, and one picture's colours brought to another's
tfrecords.py        pictures in TFRecord files; tfrecord_framing.py checks lengths before TensorFlow reads
files.py            files that are whole or absent, hashes, folders
store.py            files by path or URL; finding.py those of pictures by folder, glob or name
untrusted.py        .npz and JSON from elsewhere, read within bounds
cache_folders.py    where what was fetched or found out is kept
"""
