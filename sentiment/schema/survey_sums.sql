-- What the views on survey answers add up: sums by day, week and month, so that millions of answers
-- need not be read for a figure. Computed by the roll-up; for periods that wait for it, the views
-- read the answers themselves and are right all the same.
CREATE TABLE survey_sums (
    unit TEXT NOT NULL CHECK (unit IN ('day', 'week', 'month')),
    period TEXT NOT NULL,                 -- the day, the week's Monday, or YYYY-MM
    service_id INTEGER REFERENCES services (id),  -- NULL: the company as a whole
    segment TEXT,                         -- customer class
    metric TEXT NOT NULL,
    scale_low REAL NOT NULL,
    scale_high REAL NOT NULL,
    n INTEGER NOT NULL,                   -- answers
    people INTEGER NOT NULL,              -- who gave them
    w REAL NOT NULL,                      -- sum of their weights
    ww REAL NOT NULL,                     -- sum of the squares of their weights
    wx REAL NOT NULL,                     -- sum of weight × answer
    wu REAL NOT NULL,                     -- the same of the answer moved to −1…1; for NPS of the vote
    wuu REAL NOT NULL,                    -- the same of its square
    wtop REAL NOT NULL                    -- sum of the weights of the two best answers
) STRICT;
CREATE INDEX survey_sums_by_period ON survey_sums (unit, ifnull(service_id, 0), period);

CREATE TABLE stale_survey_days (          -- the roll-up's work list, filled by triggers
    service_id INTEGER NOT NULL,          -- 0: the company as a whole
    day TEXT NOT NULL,
    PRIMARY KEY (service_id, day)
) STRICT, WITHOUT ROWID;
INSERT INTO stale_survey_days SELECT DISTINCT ifnull(service_id, 0), day FROM survey_responses;

-- WHERE NOT EXISTS, since an INSERT with a conflict clause of its own overrides OR IGNORE in here.

CREATE TRIGGER survey_responses_insert AFTER INSERT ON survey_responses BEGIN
    INSERT INTO stale_survey_days SELECT ifnull(NEW.service_id, 0), NEW.day
        WHERE NOT EXISTS (SELECT 1 FROM stale_survey_days
            WHERE service_id = ifnull(NEW.service_id, 0) AND day = NEW.day);
END;

CREATE TRIGGER survey_responses_delete AFTER DELETE ON survey_responses BEGIN
    INSERT INTO stale_survey_days SELECT ifnull(OLD.service_id, 0), OLD.day
        WHERE NOT EXISTS (SELECT 1 FROM stale_survey_days
            WHERE service_id = ifnull(OLD.service_id, 0) AND day = OLD.day);
END;

-- A respondent whose answers are unlinked (a pseudonym that begins with "-") is the same person as
-- before: the figures stay.
CREATE TRIGGER survey_responses_update
AFTER UPDATE OF service_id, segment, metric, value, scale_low, scale_high, weight, day, respondent
ON survey_responses
WHEN NEW.respondent IS OLD.respondent OR ifnull(NEW.respondent, '') NOT LIKE '-%'
BEGIN
    INSERT INTO stale_survey_days SELECT ifnull(OLD.service_id, 0), OLD.day
        WHERE NOT EXISTS (SELECT 1 FROM stale_survey_days
            WHERE service_id = ifnull(OLD.service_id, 0) AND day = OLD.day);
    INSERT INTO stale_survey_days SELECT ifnull(NEW.service_id, 0), NEW.day
        WHERE NOT EXISTS (SELECT 1 FROM stale_survey_days
            WHERE service_id = ifnull(NEW.service_id, 0) AND day = NEW.day);
END;

-- Deleted by hand: computed again. The roll-up's own deletions are those of periods that are stale.
CREATE TRIGGER survey_sums_delete AFTER DELETE ON survey_sums
WHEN NOT EXISTS (
    SELECT 1 FROM stale_survey_days
    WHERE service_id = ifnull(OLD.service_id, 0) AND day BETWEEN OLD.period AND
        CASE OLD.unit WHEN 'day' THEN OLD.period WHEN 'week' THEN date(OLD.period, '+6 days')
            ELSE OLD.period || '-31' END
)
BEGIN
    INSERT OR IGNORE INTO stale_survey_days
        VALUES (ifnull(OLD.service_id, 0), OLD.period || iif(OLD.unit = 'month', '-01', ''));
END;
