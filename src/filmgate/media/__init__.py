"""Media as files and bytes: what callers may hand us, how it is stored, whether an MP4 is whole."""
