"""The durable engine: whatever was accepted goes on after a crash."""
