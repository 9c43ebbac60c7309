"""The command line: the same verbs for every pipeline, and `rnnapps verify | list`."""
