"""Encoders by name, one file for each library that they come from."""
