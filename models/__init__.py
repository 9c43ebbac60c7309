"""How the models of `rnnapps-models` are made."""
