"""Tables of systems by sizes by random seeds, with intervals."""
