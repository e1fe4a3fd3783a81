"""How in-domain is each example? Every scorer answers with Scores; cutoff turns them into a Selection."""
