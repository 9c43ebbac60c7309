"""A server of exported models with the wire format of TensorFlow Serving, and streams that keep states."""
