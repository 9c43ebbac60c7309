"""Raw examples to tensors and back, with TensorFlow core ops only: the same objects feed training and serving."""

__all__: list[str] = []
