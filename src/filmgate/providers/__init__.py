"""Where clips come from: paid upstreams, or the sandbox that draws them here."""
