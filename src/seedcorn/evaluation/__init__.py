"""How good is it, and is it chance? Error rates and significance."""
