"""A whole network, trained in Keras: images in batches, epochs with checkpoints, and the model file in the end.

Public is what docs/api lists of it; the rest is internal.
"""
