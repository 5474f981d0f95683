CREATE TABLE finer_emotions (             -- a model's own, finer labels; present ones only
    mention_id INTEGER NOT NULL REFERENCES mentions (id),
    model TEXT NOT NULL,
    label TEXT NOT NULL,                  -- GoEmotions' for the bundled model
    probability REAL NOT NULL,            -- 0.5 and more
    PRIMARY KEY (mention_id, model, label)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER scores_delete_finer AFTER DELETE ON scores BEGIN
    DELETE FROM finer_emotions WHERE mention_id = OLD.mention_id AND model = OLD.model;
END;
