"""Booking desk of a guest house: a terminal application on one central PostgreSQL."""

__version__ = "0.1.0"
