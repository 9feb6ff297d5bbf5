"""How chat models look at pictures: one file for those that do it alike, found by `discover()`. `eye.py` says what each states."""
