CREATE TABLE allowances (                 -- requests and units that services count by key or by day
    name TEXT NOT NULL,                   -- service and fingerprint of the key, never the key
    at TEXT NOT NULL,                     -- the five minutes they were used in
    used INTEGER NOT NULL,                -- requests or units
    PRIMARY KEY (name, at)
) STRICT, WITHOUT ROWID;
