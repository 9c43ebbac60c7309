"""Answers of an exported model to many rows: read in parts, run by length, written whole or not at all."""
