"""Localization measured on boxed pictures."""
