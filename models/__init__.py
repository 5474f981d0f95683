"""The classifier: polarity and emotion of a text, read for the service that is meant."""
