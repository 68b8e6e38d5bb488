"""`python -m boxless`: the same as the command `boxless`."""

from boxless.cli import main

main()
