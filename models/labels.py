"""The labels every model answers with, whatever its own are called."""

POLARITIES = ("negative", "neutral", "positive")

EKMAN = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
"""Six basic emotions after Ekman (1992); a text may carry several of them or none."""
