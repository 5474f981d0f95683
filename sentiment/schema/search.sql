-- Full-text search over posts. `text` begins with the title, so that one column is enough. Datasette
-- finds the table by content="posts".

CREATE VIRTUAL TABLE posts_fts USING fts5 (
    text, content="posts", content_rowid="id", tokenize="unicode61 remove_diacritics 2"
);

CREATE TRIGGER posts_search_insert AFTER INSERT ON posts BEGIN
    INSERT INTO posts_fts (rowid, text) VALUES (NEW.id, NEW.text);
END;

-- What is taken out stays in the index's files until they are merged; 'unscrubbed' asks for that
-- (erasing.py).

CREATE TRIGGER posts_search_delete AFTER DELETE ON posts BEGIN
    INSERT INTO posts_fts (posts_fts, rowid, text) VALUES ('delete', OLD.id, OLD.text);
    INSERT OR REPLACE INTO state (key, value) VALUES ('unscrubbed', '1');
END;

CREATE TRIGGER posts_search_update AFTER UPDATE OF text ON posts WHEN OLD.text <> NEW.text BEGIN
    INSERT INTO posts_fts (posts_fts, rowid, text) VALUES ('delete', OLD.id, OLD.text);
    INSERT INTO posts_fts (rowid, text) VALUES (NEW.id, NEW.text);
    INSERT OR REPLACE INTO state (key, value) VALUES ('unscrubbed', '1');
END;

INSERT INTO posts_fts (posts_fts) VALUES ('rebuild');
