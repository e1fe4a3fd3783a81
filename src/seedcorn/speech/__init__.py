"""A complete recogniser: test speech, acoustic model, decoder, word error rate."""
