"""Batch inference: folders, lists, archives and buckets of any size, on one machine or many; see docs/scale.md.

Public is what docs/api lists of it; the rest is internal.
"""

from boxless.batch.job import Job, Settings
from boxless.batch.locate import Locate

__all__ = ["Job", "Locate", "Settings"]
