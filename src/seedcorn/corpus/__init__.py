"""What the data is: utterances, sentence pairs, their text, and the files they come from."""
