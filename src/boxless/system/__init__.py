"""What the machine and its Python offer: optional packages, files, threads, pages."""
