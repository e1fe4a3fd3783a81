"""Growth: an agent in use asks for the labels it needs, makes the next round, and certifies that nothing got worse."""
