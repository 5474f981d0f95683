CREATE TABLE gold_labels (                -- what people said a mention means; see `evaluate`
    id INTEGER PRIMARY KEY,
    mention_id INTEGER NOT NULL REFERENCES mentions (id),
    -- NULL: only the emotions were corrected
    polarity TEXT CHECK (polarity IN ('negative', 'neutral', 'positive')),
    emotions TEXT NOT NULL DEFAULT '[]',  -- JSON list of the emotions present
    labelled_at TEXT NOT NULL,
    labelled_by TEXT NOT NULL,            -- who said so: the name they log in with
    UNIQUE (mention_id, labelled_by)
) STRICT;

-- A label says what a text meant: it goes when the mention goes, and when the text is another or
-- erased.
CREATE TRIGGER mentions_delete_labels AFTER DELETE ON mentions BEGIN
    DELETE FROM gold_labels WHERE mention_id = OLD.id;
END;

CREATE TRIGGER posts_text_labels AFTER UPDATE OF text ON posts WHEN OLD.text <> NEW.text BEGIN
    DELETE FROM gold_labels WHERE mention_id IN (SELECT id FROM mentions WHERE post_id = NEW.id);
END;
