"""What marketing sees in a browser: Datasette over the database, and pages of our own beside it."""
