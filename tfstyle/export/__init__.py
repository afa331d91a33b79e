"""Models for processes without tfstyle.

savedmodel.py        SavedModels of extractors, transfers and networks
adain_savedmodel.py  SavedModels of networks for any style
signatures.py        what those models answer to
conversion.py        files for other runtimes, and how near they are
lite.py              LiteRT files; lite_network.py those in use
onnx_file.py         ONNX files
"""
