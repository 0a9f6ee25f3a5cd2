"""One frozen value in, one rendering out: JSON document, terminal, workbook, web page.

Nothing here computes a finding or a total that the value does not carry: renderings that count for
themselves would one day disagree with each other.
"""
