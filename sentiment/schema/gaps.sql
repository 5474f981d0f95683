CREATE TABLE gaps (                       -- what was posted and could no longer be had
    id INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES sources (id),
    said TEXT NOT NULL,                   -- the adapter's sentence
    found_at TEXT NOT NULL
) STRICT;
CREATE INDEX gaps_by_source ON gaps (source_id, found_at);
