"""The APIs filmgate speaks: pure codecs, each used towards callers and towards upstreams."""
