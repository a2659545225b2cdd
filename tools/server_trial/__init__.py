"""The server scripts on the real distributions: containers with systemd, a network of their own, desks."""
