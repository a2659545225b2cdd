"""migrate-data: brings the predecessor's SQLite files over, nothing lost, everything accounted for."""
