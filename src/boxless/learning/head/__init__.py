"""`boxless fit`: a linear head on a frozen backbone."""
