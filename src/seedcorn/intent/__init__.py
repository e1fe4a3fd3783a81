"""A new intent: from fifty annotated utterances and a pool to a training set, a model and what they bring."""
