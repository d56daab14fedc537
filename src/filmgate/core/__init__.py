"""The nouns and rules of filmgate: pure, synchronous, free of I/O."""
