"""Learning from one's own pictures: a head for a frozen backbone, or a whole network.

Public is what docs/api lists of it; the rest is internal.
"""
