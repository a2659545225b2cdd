"""Desks under fire: faults of networks and computers, and a checker that asks the database alone."""
