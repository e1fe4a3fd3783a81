"""N-gram language models on arrays: estimate, score, interpolate, prune, read and write ARPA."""
