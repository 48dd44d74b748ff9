"""The same assistant served by Rasa as it is released, for comparison."""
