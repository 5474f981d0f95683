"""Adapters: each turns settings and a cursor into pages of public posts."""
