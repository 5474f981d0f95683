"""The database's tables, triggers and views, as SQL files."""
