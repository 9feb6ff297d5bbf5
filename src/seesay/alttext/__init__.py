"""Alternative texts for the pictures in documents, after the rules of the W3C: found, suggested, written, reviewed.

A kind of document is one file in `kinds/`; `decide` holds the rules. Nothing here loads a model: whoever calls `propose`
hands one in.
"""
