"""The sandbox provider: draws real, honest preview clips on this machine, with no key."""
