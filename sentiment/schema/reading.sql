-- What makes reading fast with millions of mentions: sums by day, week and month, and mentions in the
-- order of time.

-- Sums of daily_sentiment by day, week and month, for one source or all of them, one language or all
-- of them. Survey comments are left out. Triggers add and subtract, so that it is right at any
-- moment; sentiment/periods.py reads any window of days from it.
CREATE TABLE period_sentiment (
    unit TEXT NOT NULL CHECK (unit IN ('day', 'week', 'month')),
    source_id INTEGER NOT NULL,           -- 0: all of them
    language TEXT NOT NULL,               -- '': all of them; 'und': undetermined
    start TEXT NOT NULL,                  -- the day, the week's Monday, or YYYY-MM
    company_id INTEGER NOT NULL,          -- 0: all companies and services together
    service_id INTEGER NOT NULL,          -- 0: the company as a whole
    raw_mentions INTEGER NOT NULL,        -- from here on as in daily_sentiment
    mentions INTEGER NOT NULL,
    authors INTEGER NOT NULL,
    positive INTEGER NOT NULL,
    neutral INTEGER NOT NULL,
    negative INTEGER NOT NULL,
    anger INTEGER NOT NULL,
    disgust INTEGER NOT NULL,
    fear INTEGER NOT NULL,
    joy INTEGER NOT NULL,
    sadness INTEGER NOT NULL,
    surprise INTEGER NOT NULL,
    PRIMARY KEY (unit, source_id, language, start, company_id, service_id)
) STRICT, WITHOUT ROWID;

WITH public AS (
    SELECT *, ifnull(service_id, 0) AS service FROM daily_sentiment
    WHERE source_id NOT IN (SELECT id FROM sources WHERE kind = 'survey')
),
units (unit) AS (VALUES ('day'), ('week'), ('month')),
scoped AS (
    SELECT 0 AS of_source, '' AS of_language, company_id AS of_company, service AS of_service, *
    FROM public
    UNION ALL SELECT source_id, '', company_id, service, * FROM public
    UNION ALL SELECT 0, language, company_id, service, * FROM public
    UNION ALL SELECT source_id, language, company_id, service, * FROM public
    UNION ALL SELECT 0, '', 0, 0, * FROM public
)
INSERT INTO period_sentiment
SELECT unit, of_source, of_language,
    CASE unit WHEN 'day' THEN day WHEN 'week' THEN date(day, '-6 days', 'weekday 1')
        ELSE substr(day, 1, 7) END,
    of_company, of_service, sum(raw_mentions), sum(mentions), sum(authors), sum(positive), sum(neutral),
    sum(negative), sum(anger), sum(disgust), sum(fear), sum(joy), sum(sadness), sum(surprise)
FROM scoped, units
GROUP BY 1, 2, 3, 4, 5, 6;

CREATE TRIGGER daily_sentiment_add AFTER INSERT ON daily_sentiment BEGIN
    INSERT INTO period_sentiment
    SELECT unit, scope.source_id, scope.language, start, scope.company_id, scope.service_id,
        NEW.raw_mentions, NEW.mentions, NEW.authors, NEW.positive, NEW.neutral, NEW.negative,
        NEW.anger, NEW.disgust, NEW.fear, NEW.joy, NEW.sadness, NEW.surprise
    FROM (
        SELECT 'day' AS unit, NEW.day AS start
        UNION ALL SELECT 'week', date(NEW.day, '-6 days', 'weekday 1')
        UNION ALL SELECT 'month', substr(NEW.day, 1, 7)
    ), (
        SELECT 0 AS source_id, '' AS language, NEW.company_id AS company_id,
            ifnull(NEW.service_id, 0) AS service_id
        UNION ALL SELECT NEW.source_id, '', NEW.company_id, ifnull(NEW.service_id, 0)
        UNION ALL SELECT 0, NEW.language, NEW.company_id, ifnull(NEW.service_id, 0)
        UNION ALL SELECT NEW.source_id, NEW.language, NEW.company_id, ifnull(NEW.service_id, 0)
        UNION ALL SELECT 0, '', 0, 0
    ) AS scope
    WHERE EXISTS (SELECT 1 FROM sources WHERE id = NEW.source_id AND kind <> 'survey')
    ON CONFLICT DO UPDATE SET
        raw_mentions = raw_mentions + excluded.raw_mentions,
        mentions = mentions + excluded.mentions,
        authors = authors + excluded.authors,
        positive = positive + excluded.positive,
        neutral = neutral + excluded.neutral,
        negative = negative + excluded.negative,
        anger = anger + excluded.anger,
        disgust = disgust + excluded.disgust,
        fear = fear + excluded.fear,
        joy = joy + excluded.joy,
        sadness = sadness + excluded.sadness,
        surprise = surprise + excluded.surprise;
END;

CREATE TRIGGER daily_sentiment_subtract AFTER DELETE ON daily_sentiment BEGIN
    INSERT INTO period_sentiment
    SELECT unit, scope.source_id, scope.language, start, scope.company_id, scope.service_id,
        -OLD.raw_mentions, -OLD.mentions, -OLD.authors, -OLD.positive, -OLD.neutral, -OLD.negative,
        -OLD.anger, -OLD.disgust, -OLD.fear, -OLD.joy, -OLD.sadness, -OLD.surprise
    FROM (
        SELECT 'day' AS unit, OLD.day AS start
        UNION ALL SELECT 'week', date(OLD.day, '-6 days', 'weekday 1')
        UNION ALL SELECT 'month', substr(OLD.day, 1, 7)
    ), (
        SELECT 0 AS source_id, '' AS language, OLD.company_id AS company_id,
            ifnull(OLD.service_id, 0) AS service_id
        UNION ALL SELECT OLD.source_id, '', OLD.company_id, ifnull(OLD.service_id, 0)
        UNION ALL SELECT 0, OLD.language, OLD.company_id, ifnull(OLD.service_id, 0)
        UNION ALL SELECT OLD.source_id, OLD.language, OLD.company_id, ifnull(OLD.service_id, 0)
        UNION ALL SELECT 0, '', 0, 0
    ) AS scope
    WHERE EXISTS (SELECT 1 FROM sources WHERE id = OLD.source_id AND kind <> 'survey')
    ON CONFLICT DO UPDATE SET
        raw_mentions = raw_mentions + excluded.raw_mentions,
        mentions = mentions + excluded.mentions,
        authors = authors + excluded.authors,
        positive = positive + excluded.positive,
        neutral = neutral + excluded.neutral,
        negative = negative + excluded.negative,
        anger = anger + excluded.anger,
        disgust = disgust + excluded.disgust,
        fear = fear + excluded.fear,
        joy = joy + excluded.joy,
        sadness = sadness + excluded.sadness,
        surprise = surprise + excluded.surprise;
END;

CREATE TRIGGER daily_sentiment_change AFTER UPDATE ON daily_sentiment BEGIN
    INSERT INTO period_sentiment
    SELECT unit, scope.source_id, scope.language, start, scope.company_id, scope.service_id,
        -OLD.raw_mentions, -OLD.mentions, -OLD.authors, -OLD.positive, -OLD.neutral, -OLD.negative,
        -OLD.anger, -OLD.disgust, -OLD.fear, -OLD.joy, -OLD.sadness, -OLD.surprise
    FROM (
        SELECT 'day' AS unit, OLD.day AS start
        UNION ALL SELECT 'week', date(OLD.day, '-6 days', 'weekday 1')
        UNION ALL SELECT 'month', substr(OLD.day, 1, 7)
    ), (
        SELECT 0 AS source_id, '' AS language, OLD.company_id AS company_id,
            ifnull(OLD.service_id, 0) AS service_id
        UNION ALL SELECT OLD.source_id, '', OLD.company_id, ifnull(OLD.service_id, 0)
        UNION ALL SELECT 0, OLD.language, OLD.company_id, ifnull(OLD.service_id, 0)
        UNION ALL SELECT OLD.source_id, OLD.language, OLD.company_id, ifnull(OLD.service_id, 0)
        UNION ALL SELECT 0, '', 0, 0
    ) AS scope
    WHERE EXISTS (SELECT 1 FROM sources WHERE id = OLD.source_id AND kind <> 'survey')
    ON CONFLICT DO UPDATE SET
        raw_mentions = raw_mentions + excluded.raw_mentions,
        mentions = mentions + excluded.mentions,
        authors = authors + excluded.authors,
        positive = positive + excluded.positive,
        neutral = neutral + excluded.neutral,
        negative = negative + excluded.negative,
        anger = anger + excluded.anger,
        disgust = disgust + excluded.disgust,
        fear = fear + excluded.fear,
        joy = joy + excluded.joy,
        sadness = sadness + excluded.sadness,
        surprise = surprise + excluded.surprise;
    INSERT INTO period_sentiment
    SELECT unit, scope.source_id, scope.language, start, scope.company_id, scope.service_id,
        NEW.raw_mentions, NEW.mentions, NEW.authors, NEW.positive, NEW.neutral, NEW.negative,
        NEW.anger, NEW.disgust, NEW.fear, NEW.joy, NEW.sadness, NEW.surprise
    FROM (
        SELECT 'day' AS unit, NEW.day AS start
        UNION ALL SELECT 'week', date(NEW.day, '-6 days', 'weekday 1')
        UNION ALL SELECT 'month', substr(NEW.day, 1, 7)
    ), (
        SELECT 0 AS source_id, '' AS language, NEW.company_id AS company_id,
            ifnull(NEW.service_id, 0) AS service_id
        UNION ALL SELECT NEW.source_id, '', NEW.company_id, ifnull(NEW.service_id, 0)
        UNION ALL SELECT 0, NEW.language, NEW.company_id, ifnull(NEW.service_id, 0)
        UNION ALL SELECT NEW.source_id, NEW.language, NEW.company_id, ifnull(NEW.service_id, 0)
        UNION ALL SELECT 0, '', 0, 0
    ) AS scope
    WHERE EXISTS (SELECT 1 FROM sources WHERE id = NEW.source_id AND kind <> 'survey')
    ON CONFLICT DO UPDATE SET
        raw_mentions = raw_mentions + excluded.raw_mentions,
        mentions = mentions + excluded.mentions,
        authors = authors + excluded.authors,
        positive = positive + excluded.positive,
        neutral = neutral + excluded.neutral,
        negative = negative + excluded.negative,
        anger = anger + excluded.anger,
        disgust = disgust + excluded.disgust,
        fear = fear + excluded.fear,
        joy = joy + excluded.joy,
        sadness = sadness + excluded.sadness,
        surprise = surprise + excluded.surprise;
END;

-- Mentions carry the time of their post, so that the newest of a service need not be searched for.
ALTER TABLE mentions ADD COLUMN post_at TEXT NOT NULL DEFAULT '';    -- posted_at of its post
ALTER TABLE mentions ADD COLUMN post_day TEXT NOT NULL DEFAULT '';   -- day of its post
UPDATE mentions SET (post_at, post_day) = (SELECT posted_at, day FROM posts WHERE id = post_id);
DROP INDEX mentions_by_service;
CREATE INDEX mentions_by_service ON mentions (service_id, post_at, post_day);
CREATE INDEX mentions_by_time ON mentions (post_at, post_day);

CREATE TRIGGER mentions_insert AFTER INSERT ON mentions BEGIN
    UPDATE mentions
    SET (post_at, post_day) = (SELECT posted_at, day FROM posts WHERE id = NEW.post_id)
    WHERE id = NEW.id;
END;

CREATE TRIGGER posts_moved AFTER UPDATE OF posted_at, day ON posts
WHEN OLD.posted_at <> NEW.posted_at OR OLD.day <> NEW.day BEGIN
    UPDATE mentions SET post_at = NEW.posted_at, post_day = NEW.day WHERE post_id = NEW.id;
END;

-- How many posts a source has; how many lately.
ALTER TABLE sources ADD COLUMN posts INTEGER NOT NULL DEFAULT 0;      -- stored from it; by triggers
UPDATE sources SET posts = (SELECT count(*) FROM posts WHERE source_id = sources.id);
CREATE INDEX posts_by_collected ON posts (source_id, collected_at);

CREATE TRIGGER posts_count_insert AFTER INSERT ON posts BEGIN
    UPDATE sources SET posts = posts + 1 WHERE id = NEW.source_id;
END;

CREATE TRIGGER posts_count_delete AFTER DELETE ON posts BEGIN
    UPDATE sources SET posts = posts - 1 WHERE id = OLD.source_id;
END;

-- What waits is counted on every page.
CREATE INDEX posts_unread ON posts (id) WHERE matched_by IS NULL;
CREATE INDEX posts_erased ON posts (id) WHERE erased_at IS NOT NULL;
