"""Models for processes without tfstyle.

savedmodel.py        SavedModels of extractors, transfers and networks
adain_savedmodel.py  SavedModels of networks for any style
signatures.py        what those models answer to
lite.py              LiteRT files
"""
