"""`seesay-mini`: the embedded model, its two runtimes and what both share."""
