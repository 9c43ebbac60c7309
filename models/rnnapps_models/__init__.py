"""Trained models as data; `rnnapps models` lists them."""
