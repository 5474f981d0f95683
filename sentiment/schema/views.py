"""The views: the surface for marketing. Re-created whenever this module's SQL changes.

Net sentiment and NPS are the mean of votes of -1, 0 and +1, times 100. Their 95 % interval is the
adjusted Wald interval AW(3,T), which adds three quarters of a vote to each of positive and negative
and one and a half to neutral (Rocks, "Interval Estimation for the Net Promoter Score", The American
Statistician 70(4), 2016). Shares: intervals.py. Surveys: survey_views.py.
"""

from __future__ import annotations

from models.labels import EKMAN
from sentiment.schema import survey_views
from sentiment.schema.intervals import net_interval


def scored_mentions() -> str:
    """A row a scored mention: what was said about which service, and how it was meant."""
    probabilities = ",\n    ".join(
        f"""(SELECT e.probability FROM emotions e
     WHERE e.mention_id = m.id AND e.model = m.model AND e.emotion = '{emotion}') AS {emotion}"""
        for emotion in EKMAN
    )
    return f"""
CREATE VIEW scored_mentions AS
SELECT
    m.id AS mention_id,
    c.name AS company,
    v.name AS service,
    s.name AS source,
    s.kind AS source_kind,
    p.language,
    m.post_at AS posted_at,
    m.post_day AS day,
    p.url,
    m.snippet,
    k.polarity,
    k.valence,
    (SELECT e.emotion FROM emotions e
     WHERE e.mention_id = m.id AND e.model = m.model AND e.probability >= 0.5
     ORDER BY e.probability DESC, e.emotion LIMIT 1) AS emotion,
    {probabilities},
    p.rating,
    m.model,
    k.negative,
    k.neutral,
    k.positive,
    p.author,
    p.duplicate_of IS NOT NULL AS is_copy,
    p.id AS post_id,
    (SELECT group_concat(label, ', ') FROM (
        SELECT f.label FROM finer_emotions f WHERE f.mention_id = m.id AND f.model = m.model
        ORDER BY f.probability DESC, f.label)) AS finer_emotions
FROM mentions m
-- CROSS: mentions first, in the order of an index, so that the newest are found without sorting all
CROSS JOIN scores k ON k.mention_id = m.id AND k.model = m.model
CROSS JOIN posts p ON p.id = m.post_id
JOIN sources s ON s.id = p.source_id
JOIN companies c ON c.id = m.company_id
LEFT JOIN services v ON v.id = m.service_id;
"""


def service_period(view: str, column: str, unit: str) -> str:
    """A row a company, service and period; service is empty for the company as a whole."""
    low, high = net_interval("n.positive", "n.negative", "n.authors")
    shares = ",\n    ".join(f"1.0 * n.{emotion} / n.authors AS {emotion}" for emotion in EKMAN)
    everywhere = f"unit = '{unit}' AND {{}}.source_id = 0 AND {{}}.language = ''"
    return f"""
CREATE VIEW {view} AS
SELECT
    c.name AS company,
    v.name AS service,
    n.start AS {column},
    n.mentions,
    n.authors,
    n.positive,
    n.neutral,
    n.negative,
    100.0 * (n.positive - n.negative) / n.authors AS net_sentiment,
    {low} AS net_sentiment_low,
    {high} AS net_sentiment_high,
    1.0 * n.mentions / (
        SELECT every.mentions FROM period_sentiment every
        WHERE every.{everywhere.format("every", "every")} AND every.start = n.start
            AND every.company_id = 0 AND every.service_id = 0
    ) AS attention,
    {shares},
    n.raw_mentions
FROM period_sentiment n
JOIN companies c ON c.id = n.company_id
LEFT JOIN services v ON v.id = n.service_id
WHERE n.{everywhere.format("n", "n")} AND n.authors > 0;
"""


MODEL_CHANGES = """
CREATE VIEW model_changes AS
SELECT
    m.id AS mention_id, c.name AS company, v.name AS service, m.snippet,
    old.model AS old_model, old.polarity AS old_polarity, old.valence AS old_valence,
    m.model AS new_model, k.polarity AS new_polarity, k.valence AS new_valence
FROM mentions m
CROSS JOIN scores old ON old.mention_id = m.id AND old.model <> m.model
CROSS JOIN scores k ON k.mention_id = m.id AND k.model = m.model
JOIN companies c ON c.id = m.company_id
LEFT JOIN services v ON v.id = m.service_id;
"""

ACTIVE_ALERTS = """
CREATE VIEW active_alerts AS
SELECT
    a.id AS alert_id, a.rule, c.name AS company, v.name AS service, a.subject, a.state, a.since_at,
    a.acknowledged_at, t.reason, t.detail
FROM alerts a
LEFT JOIN alert_transitions t
    ON t.id = (SELECT max(id) FROM alert_transitions WHERE alert_id = a.id)
LEFT JOIN companies c ON c.id = a.company_id
LEFT JOIN services v ON v.id = a.service_id
WHERE a.state IN ('pending', 'firing');
"""

SOURCE_HEALTH = """
CREATE VIEW source_health AS
WITH pace AS (
    SELECT id AS source_id, last_day,
        (SELECT count(*) FROM posts p
         WHERE p.source_id = l.id AND p.day > date(l.last_day, '-28 days')) AS posts
    FROM (SELECT id, (SELECT max(day) FROM posts WHERE source_id = sources.id) AS last_day
          FROM sources) l
), lost AS (
    SELECT source_id, count(*) AS gaps, max(id) AS last
    FROM gaps WHERE found_at >= strftime('%Y-%m-%dT%H:%M:%S', 'now', '-30 days')
    GROUP BY source_id
)
SELECT
    s.name AS source,
    s.kind,
    CASE
        WHEN s.disabled THEN 'disabled'
        WHEN s.error_count > 0 THEN 'failing'
        WHEN s.last_success_at IS NULL THEN 'not read yet'
        WHEN julianday('now') - julianday(s.last_success_at) > 5 * s.every_seconds / 86400.0
            THEN 'silent'
        -- by the days of writing, so that a first reading of old posts is no rush; people put
        -- files into a folder when they find the time
        WHEN s.kind <> 'file' AND w.posts >= 10
            AND julianday('now') - julianday(w.last_day) > 2 + 10 * 28.0 / w.posts
            THEN 'quiet'
        ELSE 'ok'
    END AS health,
    s.last_success_at,
    s.posts,
    (SELECT count(*) FROM posts p WHERE p.source_id = s.id
     AND p.collected_at >= strftime('%Y-%m-%dT%H:%M:%S', 'now', '-1 day')) AS posts_last_day,
    (SELECT count(*) FROM posts p WHERE p.source_id = s.id
     AND p.collected_at >= strftime('%Y-%m-%dT%H:%M:%S', 'now', '-28 days')) / 28.0
        AS usual_posts_a_day,
    s.last_error,
    s.error_count,
    s.last_attempt_at,
    s.next_attempt_at,
    json_array_length(s.problems) AS problems,
    json_extract(s.problems, '$[#-1]') AS last_problem,
    ifnull(o.gaps, 0) AS gaps,
    (SELECT said FROM gaps g WHERE g.id = o.last) AS last_gap,
    (SELECT found_at FROM gaps g WHERE g.id = o.last) AS last_gap_at,
    s.quota,
    s.recheck_error
FROM sources s LEFT JOIN pace w ON w.source_id = s.id LEFT JOIN lost o ON o.source_id = s.id
WHERE s.active = 1;
"""

SERVICE_DRIVERS = """
CREATE VIEW service_drivers AS
SELECT
    c.name AS company,
    v.name AS service,
    l.period,
    l.from_day,
    l.to_day,
    d.polarity,
    d.phrase,
    d.mentions,
    d.authors,
    d.of_authors,
    d.other_authors,
    d.of_other_authors,
    d.log_odds,
    d.low,
    d.high,
    d.z,
    d.low > 0 AS beyond_chance,
    d.example_mention_id,
    l.updated_at
FROM driver_lists l
JOIN drivers d ON d.list_id = l.id
JOIN companies c ON c.id = l.company_id
LEFT JOIN services v ON v.id = l.service_id;
"""

VIEWS = {
    "scored_mentions": scored_mentions(),
    "service_daily": service_period("service_daily", "day", "day"),
    "service_weekly": service_period("service_weekly", "period", "week"),
    "service_monthly": service_period("service_monthly", "period", "month"),
    "service_drivers": SERVICE_DRIVERS,
    **survey_views.VIEWS,
    "model_changes": MODEL_CHANGES,
    "active_alerts": ACTIVE_ALERTS,
    "source_health": SOURCE_HEALTH,
}
"""Every view by name, in an order in which they can be created."""
