"""Models for processes without tfstyle.

savedmodel.py        SavedModels of extractors, transfers and networks
signatures.py        what those models answer to
conversion.py        files for other runtimes, and how near they are
lite.py              LiteRT files, and these in use
onnx_file.py         ONNX files
"""
