"""Pages in the browser on which people try the models of a server: `rnnapps serve DIR --ui`."""
