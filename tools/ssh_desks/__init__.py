"""Desks over SSH on a real sshd: what tests and measurements share."""
