CREATE TABLE driver_lists (               -- periods of a service for which drivers are kept
    id INTEGER PRIMARY KEY,
    company_id INTEGER NOT NULL REFERENCES companies (id),
    service_id INTEGER REFERENCES services (id),
    period TEXT NOT NULL,                 -- '28 days', '90 days', '365 days' or 2026-03
    from_day TEXT NOT NULL,               -- its first day
    to_day TEXT NOT NULL,                 -- its last day
    mentions INTEGER NOT NULL DEFAULT 0,  -- looked at: the newest of the period
    stale INTEGER NOT NULL DEFAULT 1,     -- 1: to be computed; 2: being computed; 0: up to date
    updated_at TEXT                       -- when it was computed, UTC
) STRICT;
CREATE UNIQUE INDEX driver_lists_key ON driver_lists (company_id, ifnull(service_id, 0), period);

CREATE TABLE drivers (                    -- phrases that set negative and positive mentions apart
    list_id INTEGER NOT NULL REFERENCES driver_lists (id),
    -- whose words they are: negative or positive mentions'
    polarity TEXT NOT NULL CHECK (polarity IN ('negative', 'positive')),
    phrase TEXT NOT NULL,                 -- as it is written most often
    mentions INTEGER NOT NULL,            -- of this polarity that have it
    authors INTEGER NOT NULL,             -- of this polarity who say it
    of_authors INTEGER NOT NULL,          -- all of this polarity
    other_authors INTEGER NOT NULL,       -- of the opposite polarity who say it
    of_other_authors INTEGER NOT NULL,    -- all of the opposite polarity
    log_odds REAL NOT NULL,               -- log-odds ratio; above 0: said more by this polarity
    low REAL NOT NULL,                    -- lower end of its 95 % interval
    high REAL NOT NULL,                   -- upper end of its 95 % interval
    z REAL NOT NULL,                      -- its distance from 0 in standard errors
    example_mention_id INTEGER NOT NULL,  -- the clearest mention that has it
    PRIMARY KEY (list_id, polarity, phrase)
) STRICT, WITHOUT ROWID;

-- What is up to date follows from the days that were rolled up anew and the texts that were erased.
CREATE TRIGGER stale_days_delete AFTER DELETE ON stale_days BEGIN
    UPDATE driver_lists SET stale = 1
        WHERE company_id = OLD.company_id AND ifnull(service_id, 0) = OLD.service_id
            AND OLD.day BETWEEN from_day AND to_day;
END;

CREATE TRIGGER mentions_said AFTER UPDATE OF snippet ON mentions WHEN OLD.snippet <> NEW.snippet
BEGIN
    UPDATE driver_lists SET stale = 1, updated_at = NULL  -- at once: what is erased must not wait
        WHERE company_id = NEW.company_id AND ifnull(service_id, 0) = ifnull(NEW.service_id, 0)
            AND NEW.post_day BETWEEN from_day AND to_day;
END;

CREATE TRIGGER driver_lists_delete AFTER DELETE ON driver_lists BEGIN
    DELETE FROM drivers WHERE list_id = OLD.id;
END;

CREATE TRIGGER drivers_delete AFTER DELETE ON drivers BEGIN
    UPDATE driver_lists SET stale = 1 WHERE id = OLD.list_id AND stale = 0;
END;
