"""What the machine and its Python offer: optional packages, files, threads, pages.

Internal: it may change in any release.
"""
