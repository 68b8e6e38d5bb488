"""Learning from one's own images: a head for a frozen backbone, or a whole network.

Public is what docs/api lists of it; the rest is internal.
"""
