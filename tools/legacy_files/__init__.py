"""Files of the predecessor, generated: its schema stage by stage, an invented house, defects on request."""
