"""The papers' claims, measured again: Network in Network's heads and maps, and average against maximum pooling.

An experiment is a function from a row of settings to plain data. The data is stored, and tables, plots and pages are
made of nothing else, so no number in them is written by hand.
"""
