"""`boxless fit`: a linear head on a frozen backbone.

Internal: it may change in any release.
"""
