"""The user guide, and the programs that draw its pictures from the code."""
