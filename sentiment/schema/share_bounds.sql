CREATE TABLE share_bounds (               -- intervals of shares, from benchmarks/share_bounds.py
    whole INTEGER PRIMARY KEY,            -- how many answers
    lows TEXT NOT NULL                    -- lower bounds, five digits for 0, 1, 2 … good ones
) STRICT;
