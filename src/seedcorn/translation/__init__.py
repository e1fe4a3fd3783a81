"""From in-domain text in one language to in-domain text in another."""
