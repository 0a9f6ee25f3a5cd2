"""The rules' answers for whole columns: Arrow arrays in, Arrow or numpy arrays out, no Python object per row.

Each kernel does exactly what a function of ``pipeline.core`` does for one value, or names the rows it cannot decide.
"""
