"""What does each example add? Every method answers with a Selection."""
