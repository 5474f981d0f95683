-- Each stage's work list follows from the rows that stand in the database, whoever changed them:
-- whatever is deleted, by a stage or by hand, is done again on the next run. Triggers rather than
-- foreign key actions, since those are off in most SQLite shells.

CREATE TRIGGER posts_delete AFTER DELETE ON posts BEGIN
    INSERT OR IGNORE INTO stale_days
        SELECT company_id, ifnull(service_id, 0), OLD.source_id, OLD.day
        FROM mentions WHERE post_id = OLD.id AND model IS NOT NULL;
    DELETE FROM mentions WHERE post_id = OLD.id;
    DELETE FROM sketches WHERE post_id = OLD.id;
    DELETE FROM survey_comments WHERE post_id = OLD.id;
    UPDATE posts SET duplicate_of = NULL WHERE duplicate_of = OLD.id;
    UPDATE sources SET cursor = NULL WHERE id = OLD.source_id;  -- so that it is collected again
END;

CREATE TRIGGER posts_counted_otherwise
AFTER UPDATE OF duplicate_of, day, author, language ON posts
WHEN OLD.duplicate_of IS NOT NEW.duplicate_of OR OLD.day <> NEW.day
    OR OLD.author IS NOT NEW.author OR OLD.language IS NOT NEW.language
BEGIN
    INSERT OR IGNORE INTO stale_days
        SELECT company_id, ifnull(service_id, 0), NEW.source_id, day
        FROM mentions, (SELECT OLD.day AS day UNION SELECT NEW.day)
        WHERE post_id = NEW.id AND model IS NOT NULL;
END;

CREATE TRIGGER mentions_delete AFTER DELETE ON mentions BEGIN
    INSERT OR IGNORE INTO stale_days
        SELECT OLD.company_id, ifnull(OLD.service_id, 0), source_id, day
        FROM posts WHERE id = OLD.post_id AND OLD.model IS NOT NULL;
    DELETE FROM scores WHERE mention_id = OLD.id;
    UPDATE posts SET matched_by = NULL WHERE id = OLD.post_id;
END;

CREATE TRIGGER mentions_scored AFTER UPDATE OF model ON mentions BEGIN
    INSERT OR IGNORE INTO stale_days
        SELECT NEW.company_id, ifnull(NEW.service_id, 0), source_id, day
        FROM posts WHERE id = NEW.post_id;
END;

CREATE TRIGGER scores_delete AFTER DELETE ON scores BEGIN
    DELETE FROM emotions WHERE mention_id = OLD.mention_id AND model = OLD.model;
    UPDATE mentions
        SET model = (SELECT model FROM scores WHERE mention_id = OLD.mention_id
                     ORDER BY scored_at DESC LIMIT 1)
        WHERE id = OLD.mention_id AND model = OLD.model;
END;

CREATE TRIGGER emotions_delete AFTER DELETE ON emotions BEGIN
    DELETE FROM scores WHERE mention_id = OLD.mention_id AND model = OLD.model;
END;

CREATE TRIGGER daily_sentiment_delete AFTER DELETE ON daily_sentiment BEGIN
    INSERT OR IGNORE INTO stale_days
        VALUES (OLD.company_id, ifnull(OLD.service_id, 0), OLD.source_id, OLD.day);
END;

CREATE TRIGGER companies_delete AFTER DELETE ON companies BEGIN
    DELETE FROM state WHERE key = 'config';
END;

CREATE TRIGGER services_delete AFTER DELETE ON services BEGIN
    DELETE FROM state WHERE key = 'config';
END;

CREATE TRIGGER sources_delete AFTER DELETE ON sources BEGIN
    DELETE FROM state WHERE key = 'config';
END;
