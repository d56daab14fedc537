"""The five documents as tests: their payloads, their commands and their programs."""
