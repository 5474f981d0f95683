"""How the bundled model is made: `python -m models.training --help`."""
