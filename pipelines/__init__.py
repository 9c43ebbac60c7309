"""Applications made of the parts of `rnnapps`, each run as `python -m pipelines.<name> <verb>`."""
