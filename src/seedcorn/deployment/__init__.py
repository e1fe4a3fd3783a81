"""What people decide about a model: what to annotate next, how many more labels, and whether it may be deployed."""
