"""A self-hosted gateway for Grok (xAI) video generation."""
