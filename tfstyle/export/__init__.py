"""Models for processes without tfstyle.

savedmodel.py        SavedModels of extractors, transfers and networks
signatures.py        what those models answer to
conversion.py        files for other runtimes, and how near they are
lite.py              LiteRT files; lite_network.py those in use
onnx_file.py         ONNX files
"""
