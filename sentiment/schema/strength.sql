-- The most telling mentions first, without sorting all of them.
CREATE INDEX scores_by_strength ON scores (abs(valence), mention_id);
