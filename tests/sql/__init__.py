"""The database itself: what its functions do, and what they refuse."""
