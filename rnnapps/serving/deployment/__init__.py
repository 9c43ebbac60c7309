"""Files that run exports under the official image of TensorFlow Serving: by Docker, Kubernetes and KServe."""
