CREATE TABLE forgotten (                  -- what was forgotten on request and is not let in again
    mark TEXT PRIMARY KEY                 -- stands for its id or author; see privacy.py
) STRICT, WITHOUT ROWID;
