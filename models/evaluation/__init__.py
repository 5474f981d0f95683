"""How good a classifier is: figures with their uncertainty, against labels that people gave."""
