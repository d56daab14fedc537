"""Programs that measure filmgate; each prints one figure as its last line."""
