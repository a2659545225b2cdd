"""Tests of the booking desk, on real PostgreSQL."""
