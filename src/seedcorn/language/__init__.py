"""The language pipeline: from transcripts, source text and general pairs to language models and error rates."""
