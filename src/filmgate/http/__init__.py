"""The HTTP face of the gateway: routes, content delivery, middleware, console."""
