"""Every command group, imported once so that it is on the app; one line each."""
