"""The views on survey answers: scores, the scorecard, changes, and where public and survey part.

Every interval of a mean is the adjusted Wald interval AW(3,T) (Rocks, The American Statistician
70(4), 2016): three answers are added, three quarters at each end of the scale and one and a half in
the middle. For votes of −1, 0 and +1 that is the published interval of the Net Promoter Score; the
same rule on any bounded scale keeps its coverage where Student's interval fails, with few answers
crowded at the good end (benchmarks/coverage.py). Weighted answers count as Kish's effective number,
(Σw)² / Σw². The interval of a difference is put together from the two intervals (MOVER: Zou and
Donner, Statistics in Medicine 27, 2008).
"""

from __future__ import annotations

from models.labels import EKMAN
from sentiment.schema.intervals import Z, difference_interval, mean_bounds, share_interval

METRICS = ("csat", "csat_top2", "nps", "ces")
MIN_RESPONSES = "(SELECT CAST(value AS INTEGER) FROM state WHERE key = 'min_responses')"
UNITS = {
    # SQL for the period that a day lies in, and for a period's last day
    "day": ("day", "{period}"),
    "week": ("date(day, '-6 days', 'weekday 1')", "date({period}, '+6 days')"),
    "month": ("substr(day, 1, 7)", "{period} || '-31'"),
}
MONTH_BEFORE = "strftime('%Y-%m', {period} || '-01', '-1 month')"
WEEK_BEFORE = "date({period}, '-7 days')"

_KEY = ("service_id", "segment", "period", "metric", "scale_low", "scale_high")
_SUMS = ("n", "people", "w", "ww", "wx", "wu", "wuu", "wtop")
_SPAN = "(scale_high - scale_low)"
_VOTE = """CASE metric WHEN 'nps' THEN (value >= 9) - (value <= 6)
            ELSE (2 * value - scale_low - scale_high) / (scale_high - scale_low) END"""


_ADDED = """
        count(*) AS n,
        count(DISTINCT respondent) + sum(respondent IS NULL) AS people,
        sum(weight) AS w, sum(weight * weight) AS ww, sum(weight * value) AS wx,
        sum(weight * u) AS wu, sum(weight * u * u) AS wuu,
        sum(weight * (value >= scale_high - 1)) AS wtop"""


def figures(where: str) -> str:
    """SQL for NPS (in points of 100), CSAT and CES of some answers, computed as the views do.

    A row a metric and scale, the one with most answers last: metric, scale_low, scale_high,
    n (answers), people, mean, low, high.
    """
    return figured(f"""
    SELECT metric, scale_low, scale_high, {_ADDED}
    FROM (SELECT *, {_VOTE} AS u FROM survey_responses WHERE {where})
    GROUP BY metric, scale_low, scale_high""")


def figured(sums: str) -> str:
    """The same SQL for answers that are added up already; sums: a table's name or a query."""
    low, high = mean_bounds("wu / w", "wuu / w", "(w * w / ww)")
    scaled = "CASE metric WHEN 'nps' THEN {0} ELSE scale_low + {1} * ({0} + 100) / 200 END"
    low, high = (scaled.format(bound, _SPAN) for bound in (low, high))
    return f"""
SELECT metric, scale_low, scale_high, n, people,
    CASE metric WHEN 'nps' THEN 100.0 * wu / w ELSE wx / w END AS mean,
    {low} AS low, {high} AS high
FROM ({sums})
ORDER BY n"""


def added_up(unit: str, periods: str) -> str:
    """SQL for the rows of survey_sums of some periods, from the answers themselves.

    periods: name of a table with service_id (0: the company as a whole) and period.
    """
    last = UNITS[unit][1].format(period="s.period")
    return f"""
    SELECT {", ".join(_KEY)}, {_ADDED}
    FROM (
        SELECT r.*, s.period, {_VOTE} AS u
        FROM {periods} s CROSS JOIN survey_responses r
        ON r.service_id IS nullif(s.service_id, 0) AND r.day BETWEEN s.period AND {last}
    )
    GROUP BY {", ".join(_KEY)}"""


def parts(unit: str, where: str = "1", stale: str = "1") -> str:
    """SQL of two tables for a WITH clause: `parts`, rows as of survey_sums, right at any moment.

    Periods that wait for the roll-up (`stale`) are added up from the answers themselves. Both
    conditions narrow down what is read: where of survey_sums, stale of service_id and period.
    """
    return f"""
stale AS MATERIALIZED (
    SELECT DISTINCT service_id, {UNITS[unit][0]} AS period FROM stale_survey_days WHERE {stale}
),
parts AS (
    SELECT {", ".join(_KEY + _SUMS)} FROM survey_sums
    WHERE unit = '{unit}' AND (ifnull(service_id, 0), period) NOT IN (SELECT * FROM stale)
        AND {where}
    UNION ALL
    SELECT * FROM ({added_up(unit, "stale")})
)"""


def roll_up(unit: str, batch: str) -> tuple[str, str]:
    """SQL that computes survey_sums anew for the periods that some days lie in: delete, insert.

    batch: SQL for the days, as service_id and day.
    """
    touched = f"""
WITH touched AS MATERIALIZED (
    SELECT DISTINCT service_id, {UNITS[unit][0]} AS period FROM ({batch})
)"""
    delete = f"""{touched}
DELETE FROM survey_sums
WHERE unit = '{unit}' AND (ifnull(service_id, 0), period) IN (SELECT * FROM touched)"""
    insert = f"""{touched}
INSERT INTO survey_sums (unit, {", ".join(_KEY + _SUMS)})
SELECT '{unit}', * FROM ({added_up(unit, "touched")})"""
    return delete, insert


SHOWN = f"""people >= {MIN_RESPONSES} AND NOT (
            NOT whole AND place = 1 AND hidden BETWEEN 1 AND {MIN_RESPONSES} - 1
        )"""


def survey_scores(view: str, unit: str) -> str:
    """Survey answers by service, segment, period and scale.

    CSAT and CES on their own scale, NPS and shares in points of 100. An empty segment means all of
    them; an empty service means answers about the company as a whole. A score of fewer people than
    min_responses is empty, and so is that of the smallest other segment where it could be had by
    subtracting. By day, there are no segments, and a day is shown only when every day with answers
    in its week and its month may be: otherwise the others, taken from the month, would give it.
    """
    sums = ", ".join(f"sum({name}) AS {name}" for name in _SUMS)
    low, high = mean_bounds("wu / w", "wuu / w", "(w * w / ww)")
    top2_low, top2_high = share_interval("(wtop / w)", "(w * w / ww)")
    of_all = "PARTITION BY service_id, period, metric, scale_low, scale_high"
    shown = SHOWN
    if unit == "day":
        whole = "PARTITION BY service_id, metric, scale_low, scale_high"
        week, month = (UNITS[longer][0].replace("day", "period", 1) for longer in ("week", "month"))
        shown = " AND ".join(
            f"min(people) OVER ({whole}, {longer}) >= {MIN_RESPONSES}" for longer in (week, month)
        )
    return f"""
CREATE VIEW {view} AS
WITH {parts(unit)},
groups AS (
    SELECT service_id, segment, period, metric, scale_low, scale_high, 0 AS whole,
        {", ".join(_SUMS)}
    FROM parts WHERE segment IS NOT NULL AND '{unit}' <> 'day'
    UNION ALL
    SELECT service_id, NULL, period, metric, scale_low, scale_high, 1, {sums}
    FROM parts GROUP BY service_id, period, metric, scale_low, scale_high
),
ranked AS (
    SELECT *,
        max(whole * people) OVER ({of_all})
            - sum(CASE WHEN NOT whole AND people >= {MIN_RESPONSES} THEN people ELSE 0 END)
                OVER ({of_all}) AS hidden,
        row_number() OVER ({of_all}, whole OR people < {MIN_RESPONSES} ORDER BY people, segment)
            AS place
    FROM groups
),
figures AS (
    SELECT v.name AS service, segment, period, metric, scale_low, scale_high, n,
        w * w / ww AS effective,
        {shown} AS shown,
        wx / w AS mean, 100.0 * wu / w AS net, 100.0 * wtop / w AS top2,
        {low} AS net_low, {high} AS net_high,
        {top2_low} AS top2_low, {top2_high} AS top2_high
    FROM ranked LEFT JOIN services v ON v.id = service_id
)
SELECT service, segment, period, metric,
    CASE WHEN shown THEN mean END AS value,
    CASE WHEN shown THEN scale_low + {_SPAN} * (net_low + 100) / 200 END AS low,
    CASE WHEN shown THEN scale_low + {_SPAN} * (net_high + 100) / 200 END AS high,
    n AS responses, effective AS effective_responses, scale_low, scale_high
FROM figures WHERE metric IN ('csat', 'ces')
UNION ALL
SELECT service, segment, period, 'csat_top2', CASE WHEN shown THEN top2 END,
    CASE WHEN shown THEN top2_low END, CASE WHEN shown THEN top2_high END,
    n, effective, 0.0, 100.0
FROM figures WHERE metric = 'csat'
UNION ALL
SELECT service, segment, period, 'nps', CASE WHEN shown THEN net END,
    CASE WHEN shown THEN net_low END, CASE WHEN shown THEN net_high END,
    n, effective, -100.0, 100.0
FROM figures WHERE metric = 'nps';
"""


def service_scorecard(view: str, sentiment: str, scores: str, before: str) -> str:
    """The company's own services by period: public sentiment beside the surveys, and the change."""
    strongest = "\n        ".join(
        f"WHEN n.{emotion} = max({', '.join('n.' + other for other in EKMAN)}) THEN '{emotion}'"
        for emotion in EKMAN
    )
    pivot = ",\n        ".join(
        f"max(CASE WHEN metric = '{m}' THEN {column} END) AS {m}{suffix}"
        for m in METRICS
        for column, suffix in (
            ("value", ""), ("low", "_low"), ("high", "_high"), ("responses", "_responses"))
    )  # fmt: skip
    columns = ",\n    ".join(
        f"s.{m}, s.{m}_low, s.{m}_high, s.{m}_responses, s.{m} - sb.{m} AS {m}_change"
        for m in METRICS
    )
    period_before = before.format(period="o.period")
    return f"""
CREATE VIEW {view} AS
WITH sentiment AS MATERIALIZED (
    SELECT m.* FROM {sentiment} m JOIN companies c ON c.name = m.company AND c.own = 1
    WHERE m.service IS NOT NULL
),
asked AS (
    SELECT service, period, metric, value, low, high, max(responses) AS responses
    FROM {scores} WHERE service IS NOT NULL AND segment IS NULL
    GROUP BY service, period, metric
),
surveys AS MATERIALIZED (
    SELECT service, period,
        {pivot}
    FROM asked GROUP BY service, period
),
periods AS (
    SELECT service, period FROM sentiment
    UNION
    SELECT service, period FROM surveys
)
SELECT
    o.service,
    o.period,
    n.net_sentiment,
    n.net_sentiment_low,
    n.net_sentiment_high,
    n.mentions,
    n.authors,
    n.attention,
    CASE
        WHEN max({", ".join("n." + emotion for emotion in EKMAN)}) = 0 THEN NULL
        {strongest}
    END AS emotion,
    n.net_sentiment - b.net_sentiment AS net_sentiment_change,
    n.attention - b.attention AS attention_change,
    {columns}
FROM periods o
LEFT JOIN sentiment n ON n.service = o.service AND n.period = o.period
LEFT JOIN sentiment b ON b.service = o.service AND b.period = {period_before}
LEFT JOIN surveys s ON s.service = o.service AND s.period = o.period
LEFT JOIN surveys sb ON sb.service = o.service AND sb.period = {period_before};
"""


FIGURES = """
    SELECT m.service, m.period, 'net_sentiment' AS metric, net_sentiment AS value,
        net_sentiment_low AS low, net_sentiment_high AS high, authors AS n, -100.0 AS scale_low,
        100.0 AS scale_high
    FROM service_monthly m JOIN companies c ON c.name = m.company AND c.own = 1
    WHERE m.service IS NOT NULL
    UNION ALL
    SELECT service, period, metric, value, low, high, responses, scale_low, scale_high
    FROM survey_scores WHERE segment IS NULL AND service IS NOT NULL AND value IS NOT NULL
"""  # every monthly figure of the own services, one a row, on its own scale


def service_changes() -> str:
    """Each figure against the month before, and whether the change is beyond chance."""
    low, high = difference_interval(("n.value", "n.low", "n.high"), ("b.value", "b.low", "b.high"))
    return f"""
CREATE VIEW service_changes AS
WITH figures AS MATERIALIZED ({FIGURES})
SELECT *, change_low > 0 OR change_high < 0 AS beyond_chance FROM (
    SELECT n.service, n.period, n.metric, n.value, n.low, n.high, n.n,
        b.value AS before, b.n AS n_before,
        n.value - b.value AS change,
        {low} AS change_low,
        {high} AS change_high,
        n.scale_low, n.scale_high
    FROM figures n
    JOIN figures b ON b.service = n.service AND b.metric = n.metric
        AND b.scale_low = n.scale_low AND b.scale_high = n.scale_high
        AND b.period = {MONTH_BEFORE.format(period="n.period")}
);
"""


_NAMES = "CASE metric WHEN 'nps' THEN 'NPS' WHEN 'csat' THEN 'CSAT' ELSE 'CES' END"
_VERDICTS = {
    # public, survey, whether the two changes differ beyond chance: verdict, German, English
    ("<", "=", True): ("public falls alone",
                       "Die öffentliche Stimmung fällt, die Befragung folgt nicht",
                       "Public sentiment falls, the survey does not follow"),
    (">", "=", True): ("public rises alone",
                       "Die öffentliche Stimmung steigt, die Befragung folgt nicht",
                       "Public sentiment rises, the survey does not follow"),
    ("=", "<", True): ("survey falls alone",
                       "Die Befragung fällt, die öffentliche Stimmung folgt nicht",
                       "The survey falls, public sentiment does not follow"),
    ("=", ">", True): ("survey rises alone",
                       "Die Befragung steigt, die öffentliche Stimmung folgt nicht",
                       "The survey rises, public sentiment does not follow"),
    ("<", ">", None): ("opposite", "Die öffentliche Stimmung fällt, die Befragung steigt",
                       "Public sentiment falls, the survey rises"),
    (">", "<", None): ("opposite", "Die öffentliche Stimmung steigt, die Befragung fällt",
                       "Public sentiment rises, the survey falls"),
    ("<", "<", None): ("both fall", "Beide fallen", "Both fall"),
    (">", ">", None): ("both rise", "Beide steigen", "Both rise"),
    ("<", "=", None): ("public falls, survey unclear",
                       "Die öffentliche Stimmung fällt; ob die Befragung folgt, ist offen",
                       "Public sentiment falls; whether the survey follows is open"),
    (">", "=", None): ("public rises, survey unclear",
                       "Die öffentliche Stimmung steigt; ob die Befragung folgt, ist offen",
                       "Public sentiment rises; whether the survey follows is open"),
    ("=", "<", None): ("survey falls, public unclear",
                       "Die Befragung fällt; ob die öffentliche Stimmung folgt, ist offen",
                       "The survey falls; whether public sentiment follows is open"),
    ("=", ">", None): ("survey rises, public unclear",
                       "Die Befragung steigt; ob die öffentliche Stimmung folgt, ist offen",
                       "The survey rises; whether public sentiment follows is open"),
    ("=", "=", None): ("no clear change", "Keine Änderung jenseits des Zufalls",
                       "No change beyond chance"),
}  # fmt: skip


def _verdict(place: int) -> str:
    lines = []
    for (public, survey, differs), texts in _VERDICTS.items():
        signs = {"<": "-1", "=": "0", ">": "1"}
        test = f"public_sign = {signs[public]} AND survey_sign = {signs[survey]}"
        if differs:
            test += " AND differs"
        lines.append(f"WHEN {test} THEN '{texts[place]}'")
    return "CASE " + " ".join(lines) + " END"


def _numbers(to: str) -> str:
    """The uncertainty behind a sentence, as in "(public −45 [−60 to −30], NPS −2 [−10 to +6])"."""
    public = "öffentlich" if to == "bis" else "public"
    interval = f"[%+.0f {to} %+.0f]"
    decimal = f"[%+.2f {to} %+.2f]"
    return (
        f"CASE metric WHEN 'nps' THEN printf(' ({public} %+.0f {interval}, NPS %+.0f {interval})', "
        "public_change, public_change_low, public_change_high, survey_change, survey_change_low, "
        f"survey_change_high) ELSE printf(' ({public} %+.0f {interval}, %s %+.2f {decimal})', "
        f"public_change, public_change_low, public_change_high, {_NAMES}, survey_change, "
        "survey_change_low, survey_change_high) END"
    )


def divergence() -> str:
    """Public sentiment and each survey figure by month: do they move together?"""
    scaled = {
        name: f"200.0 * {name} / (s.scale_high - s.scale_low)"
        for name in ("s.change", "s.change_low", "s.change_high")
    }
    low, high = difference_interval(
        ("p.change", "p.change_low", "p.change_high"),
        (scaled["s.change"], scaled["s.change_low"], scaled["s.change_high"]),
    )
    return f"""
CREATE VIEW divergence AS
WITH changes AS MATERIALIZED (SELECT * FROM service_changes),
pairs AS (
    SELECT p.service, p.period, s.metric,
        p.value AS public, p.change AS public_change, p.change_low AS public_change_low,
        p.change_high AS public_change_high, p.n AS public_n,
        s.value AS survey, s.change AS survey_change, s.change_low AS survey_change_low,
        s.change_high AS survey_change_high, s.n AS survey_n,
        p.change - {scaled["s.change"]} AS difference,
        {low} AS difference_low, {high} AS difference_high,
        (p.change_low > 0) - (p.change_high < 0) AS public_sign,
        (s.change_low > 0) - (s.change_high < 0) AS survey_sign
    FROM changes p
    JOIN changes s ON s.service = p.service AND s.period = p.period
        AND s.metric IN ('nps', 'csat', 'ces')
    WHERE p.metric = 'net_sentiment'
),
judged AS (
    SELECT *, difference_low > 0 OR difference_high < 0 AS differs FROM pairs
)
SELECT service, period, metric, {_verdict(0)} AS verdict,
    public, public_change, public_change_low, public_change_high, public_n,
    survey, survey_change, survey_change_low, survey_change_high, survey_n,
    difference, difference_low, difference_high,
    {_verdict(1)} || {_numbers("bis")} || '.' AS sentence_de,
    {_verdict(2)} || {_numbers("to")} || '.' AS sentence_en
FROM judged;
"""


def lead_lag() -> str:
    """Whether one of the two moves first: monthly changes compared at shifts of up to 3 months."""
    return f"""
CREATE VIEW lead_lag AS
WITH moves AS MATERIALIZED (
    SELECT service, metric, change,
        CAST(substr(period, 1, 4) AS INTEGER) * 12 + CAST(substr(period, 6) AS INTEGER) AS month
    FROM service_changes
),
shifts (shift) AS (VALUES (-3), (-2), (-1), (0), (1), (2), (3)),
sums AS (
    SELECT p.service, s.metric, shift, count(*) AS months,
        avg(p.change * s.change) - avg(p.change) * avg(s.change) AS together,
        avg(p.change * p.change) - avg(p.change) * avg(p.change) AS public,
        avg(s.change * s.change) - avg(s.change) * avg(s.change) AS survey
    FROM shifts
    JOIN moves p ON p.metric = 'net_sentiment'
    JOIN moves s ON s.service = p.service AND s.metric IN ('nps', 'csat', 'ces')
        AND s.month = p.month + shift
    GROUP BY 1, 2, 3
    HAVING count(*) >= 12 - abs(shift) AND public > 1e-12 AND survey > 1e-12
),
correlated AS (
    SELECT service, metric, shift, months,
        max(-0.999999, min(0.999999, together / sqrt(public * survey))) AS correlation
    FROM sums
    WHERE EXISTS (SELECT 1 FROM sums whole WHERE whole.service = sums.service
        AND whole.metric = sums.metric AND whole.shift = 0)
)
SELECT *, {_lead("de")} AS sentence_de, {_lead("en")} AS sentence_en FROM (
    SELECT service, metric, shift, months, correlation,
        tanh(atanh(correlation) - {Z} / sqrt(months - 3)) AS low,
        tanh(atanh(correlation) + {Z} / sqrt(months - 3)) AS high
    FROM correlated
);
"""


def _lead(language: str) -> str:
    """What a row of lead_lag says, with its uncertainty."""
    before, after, same, opposite, nothing, numbers = _LEAD[language]
    months = {
        "de": "CASE abs(shift) WHEN 1 THEN 'einen Monat' ELSE abs(shift) || ' Monate' END",
        "en": "CASE abs(shift) WHEN 1 THEN 'one month' ELSE abs(shift) || ' months' END",
    }[language]
    moves = (
        f"CASE WHEN shift > 0 THEN printf('{before}', {months}, {_NAMES}) "
        f"WHEN shift < 0 THEN printf('{after}', {_NAMES}, {months}) "
        f"ELSE printf('{same}', {_NAMES}) END || iif(correlation < 0, '{opposite}', '')"
    )
    return (
        f"iif(low > 0 OR high < 0, {moves}, printf('{nothing}', {_NAMES}, shift)) "
        f"|| printf('{numbers}', correlation, low, high, months)"
    )


_LEAD = {
    # the public comes first; the survey does; neither; the other way round; nothing; how sure
    "de": ("Die öffentliche Stimmung geht um %s der Befragung (%s) voraus",
           "Die Befragung (%s) geht um %s der öffentlichen Stimmung voraus",
           "Die öffentliche Stimmung und die Befragung (%s) bewegen sich im selben Monat",
           ", in entgegengesetzter Richtung",
           "Kein Zusammenhang jenseits des Zufalls mit der Befragung (%s), um %+d Monate versetzt",
           " (Korrelation %+.2f [%+.2f bis %+.2f], %d Paare von Monaten)."),
    "en": ("Public sentiment runs %s ahead of the survey (%s)",
           "The survey (%s) runs %s ahead of public sentiment",
           "Public sentiment and the survey (%s) move in the same month",
           ", the other way round",
           "No connection beyond chance with the survey (%s), shifted by %+d months",
           " (correlation %+.2f [%+.2f to %+.2f], %d pairs of months)."),
}  # fmt: skip


SURVEY_COMMENTS = """
CREATE VIEW survey_comment_scores AS
SELECT
    s.name AS survey, v.name AS service, p.posted_at, p.day, m.snippet, k.polarity, k.valence,
    p.rating,
    CASE WHEN p.rating >= 3.75 THEN 'positive' WHEN p.rating <= 2.25 THEN 'negative'
        ELSE 'neutral' END AS rating_polarity,
    p.id AS post_id
FROM survey_comments a
-- CROSS: comments first, of which there are few beside all scores
CROSS JOIN posts p ON p.id = a.post_id
JOIN sources s ON s.id = p.source_id
LEFT JOIN services v ON v.id = a.service_id
CROSS JOIN mentions m ON m.post_id = p.id AND m.service_id IS a.service_id
JOIN companies c ON c.id = m.company_id AND c.own = 1
CROSS JOIN scores k ON k.mention_id = m.id AND k.model = m.model
WHERE p.rating IS NOT NULL;
"""

VIEWS = {
    "survey_scores": survey_scores("survey_scores", "month"),
    "survey_scores_weekly": survey_scores("survey_scores_weekly", "week"),
    "survey_scores_daily": survey_scores("survey_scores_daily", "day"),
    "service_scorecard": service_scorecard(
        "service_scorecard", "service_monthly", "survey_scores", MONTH_BEFORE
    ),
    "service_scorecard_weekly": service_scorecard(
        "service_scorecard_weekly", "service_weekly", "survey_scores_weekly", WEEK_BEFORE
    ),
    "service_changes": service_changes(),
    "divergence": divergence(),
    "lead_lag": lead_lag(),
    "survey_comment_scores": SURVEY_COMMENTS,
}
