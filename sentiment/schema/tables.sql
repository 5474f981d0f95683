-- Times are UTC, ISO 8601 text ("2026-03-01T09:30:00+00:00"); days are dates in the configured
-- time zone.

CREATE TABLE state (                      -- what the worker remembers between runs
    key TEXT PRIMARY KEY,                 -- 'model': whose scores are current; 'timezone'
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE companies (                  -- the company and its competitors
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    own INTEGER NOT NULL,                 -- 1: the company itself; 0: a competitor
    active INTEGER NOT NULL               -- 0: no longer in config.toml
) STRICT;

CREATE TABLE services (                   -- the service portfolio
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    active INTEGER NOT NULL
) STRICT;

CREATE TABLE sources (                    -- the sources of config.toml, and how reading them goes
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    own_company TEXT,                     -- own scope: the company every post is about
    language TEXT,                        -- set in config.toml: not detected
    every_seconds INTEGER NOT NULL,
    active INTEGER NOT NULL,
    cursor TEXT,                          -- JSON; how far the adapter has read
    last_attempt_at TEXT,
    last_success_at TEXT,
    next_attempt_at TEXT,
    error_count INTEGER NOT NULL DEFAULT 0,   -- failed attempts since the last success
    last_error TEXT,
    disabled INTEGER NOT NULL DEFAULT 0,  -- 1: a permanent error; somebody must change something
    settings TEXT NOT NULL DEFAULT '',    -- fingerprint of its config; a change enables it again
    problems TEXT NOT NULL DEFAULT '[]',  -- JSON list: what the last successful run left out
    quota TEXT,                           -- what is left of the service's allowance, in words
    recheck_error TEXT                    -- why stored posts could not be looked at again
) STRICT;

CREATE TABLE posts (                      -- public posts, comments, reviews and survey comments
    id INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES sources (id),
    external_id TEXT NOT NULL,
    url TEXT,
    author TEXT,                          -- keyed pseudonym, never the name
    title TEXT NOT NULL,
    text TEXT NOT NULL,                   -- title and body as matched and scored
    rating REAL,                          -- stars, 1 to 5
    posted_at TEXT NOT NULL,
    day TEXT NOT NULL,
    collected_at TEXT NOT NULL,
    changed_at TEXT,                      -- last time the source gave another text
    content_hash TEXT NOT NULL,           -- of title, text and rating as the source gave them
    language TEXT,                        -- ISO 639-1; NULL: not detectable
    matched_by TEXT,                      -- revision of the portfolio that read it; NULL: unread
    duplicate_of INTEGER REFERENCES posts (id),   -- first copy of a near-identical text
    erased_at TEXT,                       -- text, title, link and author were erased
    checked_at TEXT,                      -- last time the source was asked whether it still stands
    UNIQUE (source_id, external_id)
) STRICT;
CREATE INDEX posts_by_source_day ON posts (source_id, day);
CREATE INDEX posts_by_match ON posts (source_id, matched_by);
CREATE INDEX posts_by_first_copy ON posts (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX posts_by_posted ON posts (posted_at);

CREATE TABLE sketches (                   -- finds near-identical texts; see duplicates.py
    value INTEGER NOT NULL,
    post_id INTEGER NOT NULL REFERENCES posts (id),
    PRIMARY KEY (value, post_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sketches_by_post ON sketches (post_id);

CREATE TABLE mentions (                   -- places in posts that mean a service of a company
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts (id),
    company_id INTEGER NOT NULL REFERENCES companies (id),
    service_id INTEGER REFERENCES services (id),  -- NULL: the company as a whole
    spans TEXT NOT NULL,                  -- JSON: [[start, end], …] code points of the post's text
    snippet TEXT NOT NULL,
    model TEXT                            -- whose score counts now; NULL: not scored yet
) STRICT;
CREATE UNIQUE INDEX mentions_key ON mentions (post_id, company_id, ifnull(service_id, 0));
CREATE INDEX mentions_by_model ON mentions (model);
CREATE INDEX mentions_by_service ON mentions (company_id, service_id);

CREATE TABLE scores (                     -- how mentions are meant, by model
    mention_id INTEGER NOT NULL REFERENCES mentions (id),
    model TEXT NOT NULL,                  -- name@revision
    polarity TEXT NOT NULL CHECK (polarity IN ('negative', 'neutral', 'positive')),
    negative REAL NOT NULL,               -- probabilities, together 1
    neutral REAL NOT NULL,
    positive REAL NOT NULL,
    valence REAL NOT NULL,                -- positive - negative
    scored_at TEXT NOT NULL,
    PRIMARY KEY (mention_id, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE emotions (                   -- the emotions in mentions, by model
    mention_id INTEGER NOT NULL REFERENCES mentions (id),
    model TEXT NOT NULL,
    emotion TEXT NOT NULL,
    probability REAL NOT NULL,            -- 0.5 and more: present
    PRIMARY KEY (mention_id, model, emotion)
) STRICT, WITHOUT ROWID;

CREATE TABLE daily_sentiment (            -- figures by company, service, source, language and day
    company_id INTEGER NOT NULL REFERENCES companies (id),
    service_id INTEGER REFERENCES services (id),
    source_id INTEGER NOT NULL REFERENCES sources (id),
    language TEXT NOT NULL,               -- 'und': undetermined
    day TEXT NOT NULL,
    raw_mentions INTEGER NOT NULL,        -- every scored mention, copies included
    mentions INTEGER NOT NULL,            -- without copies of near-identical texts
    authors INTEGER NOT NULL,             -- votes: an author counts once per service and day
    positive INTEGER NOT NULL,            -- votes by polarity; together = authors
    neutral INTEGER NOT NULL,
    negative INTEGER NOT NULL,
    valence REAL NOT NULL,                -- sum of the votes' valences
    anger INTEGER NOT NULL,               -- votes in which the emotion is present
    disgust INTEGER NOT NULL,
    fear INTEGER NOT NULL,
    joy INTEGER NOT NULL,
    sadness INTEGER NOT NULL,
    surprise INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX daily_sentiment_key
    ON daily_sentiment (company_id, ifnull(service_id, 0), source_id, day, language);
CREATE INDEX daily_sentiment_by_day ON daily_sentiment (day);

CREATE TABLE stale_days (                 -- the roll-up's work list, filled by triggers
    company_id INTEGER NOT NULL,
    service_id INTEGER NOT NULL,          -- 0: the company as a whole
    source_id INTEGER NOT NULL,
    day TEXT NOT NULL,
    PRIMARY KEY (company_id, service_id, source_id, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE survey_responses (           -- answers to survey questions
    id INTEGER PRIMARY KEY,
    survey TEXT NOT NULL,
    external_id TEXT NOT NULL,            -- the answer's id within the survey
    response TEXT,                        -- keyed pseudonym of the answer sheet it stands on
    respondent TEXT,                      -- keyed pseudonym
    service_id INTEGER REFERENCES services (id),
    segment TEXT,                         -- customer class: A, B, C …
    metric TEXT NOT NULL CHECK (metric IN ('csat', 'nps', 'ces')),
    value REAL NOT NULL,                  -- good end on top, whichever way it was asked
    scale_low REAL NOT NULL,
    scale_high REAL NOT NULL,
    weight REAL NOT NULL DEFAULT 1.0,     -- the survey's own; 1 where it has none
    answered_at TEXT NOT NULL,
    day TEXT NOT NULL,
    UNIQUE (survey, external_id, metric)
) STRICT;
CREATE INDEX survey_responses_by_day ON survey_responses (service_id, day);
CREATE INDEX survey_responses_by_response ON survey_responses (survey, response);

CREATE TABLE survey_comments (            -- posts that are answers in words
    post_id INTEGER PRIMARY KEY REFERENCES posts (id),
    survey TEXT NOT NULL,
    response TEXT NOT NULL,               -- as in survey_responses
    service_id INTEGER REFERENCES services (id)   -- what was asked about, named or not
) STRICT;
CREATE INDEX survey_comments_by_response ON survey_comments (survey, response);

CREATE TABLE survey_files (               -- what was found in the watched folder
    survey TEXT NOT NULL,
    file TEXT NOT NULL,
    state TEXT NOT NULL,                  -- size, time of change and settings it was read with
    imported_at TEXT NOT NULL,
    error TEXT,                           -- why it was refused
    result TEXT NOT NULL DEFAULT '{}',    -- JSON: what was read, and what was no answer
    PRIMARY KEY (survey, file)
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (                     -- where each rule stands with each of its subjects
    id INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,                   -- drop, threshold, volume, emotion, survey, source
    company_id INTEGER REFERENCES companies (id),
    service_id INTEGER REFERENCES services (id),
    subject TEXT NOT NULL DEFAULT '',     -- what else: a source, a customer class, an emotion
    state TEXT NOT NULL CHECK (state IN ('ok', 'pending', 'firing', 'resolved', 'no-data')),
    since_at TEXT NOT NULL,
    acknowledged_at TEXT,                 -- somebody knows: nothing more is sent until it is over
    detail TEXT NOT NULL DEFAULT '{}'     -- JSON: where the test stands
) STRICT;
CREATE UNIQUE INDEX alerts_key ON alerts (rule, ifnull(service_id, 0), subject);

CREATE TABLE alert_transitions (          -- changes of an alert's state, with their reason
    id INTEGER PRIMARY KEY,
    alert_id INTEGER NOT NULL REFERENCES alerts (id),
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    happened_at TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '{}',    -- JSON: the explanation, as the message gives it
    queued_at TEXT                        -- when the outbox took it; NULL: not yet
) STRICT;
CREATE INDEX alert_transitions_by_alert ON alert_transitions (alert_id);
CREATE INDEX alert_transitions_to_queue ON alert_transitions (id) WHERE queued_at IS NULL;

CREATE TABLE alert_silences (             -- when nothing is sent about a service
    id INTEGER PRIMARY KEY,
    service_id INTEGER REFERENCES services (id),  -- NULL: every one
    until_at TEXT NOT NULL,
    comment TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE notifications (              -- the outbox: who is told what
    id INTEGER PRIMARY KEY,
    transition_id INTEGER NOT NULL REFERENCES alert_transitions (id),
    receiver TEXT NOT NULL,
    -- withheld: silenced or acknowledged before it was sent
    status TEXT NOT NULL CHECK (status IN ('waiting', 'delivered', 'expired', 'withheld')),
    message_id INTEGER,                   -- told in one message: the first one's id; set once
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at TEXT,
    last_error TEXT,
    created_at TEXT NOT NULL,
    delivered_at TEXT,
    UNIQUE (transition_id, receiver)
) STRICT;
CREATE INDEX notifications_waiting ON notifications (receiver) WHERE status = 'waiting';

CREATE TABLE erasures (                   -- what was erased when, and nothing of what it was
    id INTEGER PRIMARY KEY,
    source TEXT,                          -- NULL: all of them
    reason TEXT NOT NULL,
    posts INTEGER NOT NULL,
    erased_at TEXT NOT NULL
) STRICT;
