"""The worker: from public posts to a score per service in SQLite."""
