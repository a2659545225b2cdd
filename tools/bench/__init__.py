"""Figures of the desk, each beside a baseline measured in the same run: ``python tools/bench``."""
