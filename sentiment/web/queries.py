"""The questions that marketing asks most, as SQL over the views; docs/queries.md shows them.

Parameters may be left empty: each has a default. Windows end today. Figures of fewer than five
votes are left out, and "beyond chance" means that a 95 % interval does not touch 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.labels import EKMAN
from sentiment.schema.intervals import difference_interval, net_interval, share_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

FEWEST = 5  # votes, for a figure to be shown


@dataclass(frozen=True, slots=True)
class Said:
    """A text in both languages of the interface."""

    de: str
    en: str

    def __getitem__(self, language: str) -> str:
        return self.de if language == "de" else self.en


@dataclass(frozen=True, slots=True)
class Query:
    """A question and the SQL that answers it.

    template: SQL with {words} in the reader's language. reading: how to read the result.
    defaults: what a parameter is when it is left empty.
    """

    id: str
    title: Said
    question: Said
    reading: Said
    template: str
    defaults: Mapping[str, str]

    def sql(self, language: str) -> str:
        """The SQL with words for people in "de" or "en"."""
        sql = self.template.replace("{language}", language)
        for name, said in WORDS.items():
            sql = sql.replace(f"{{{name}}}", "'" + said[language].replace("'", "''") + "'")
        return sql.strip()


WORDS = {
    "better": Said("besser", "better"),
    "worse": Said("schlechter", "worse"),
    "unclear": Said("kein klarer Unterschied", "no clear difference"),
    "too_few": Said("zu wenige Stimmen", "too few votes"),
    "monday": Said("Montag", "Monday"),
    "tuesday": Said("Dienstag", "Tuesday"),
    "wednesday": Said("Mittwoch", "Wednesday"),
    "thursday": Said("Donnerstag", "Thursday"),
    "friday": Said("Freitag", "Friday"),
    "saturday": Said("Samstag", "Saturday"),
    "sunday": Said("Sonntag", "Sunday"),
    "check_source": Said("Quelle: ", "Source: "),
    "failing": Said("Fehler beim Lesen", "failing"),
    "disabled": Said("abgeschaltet", "disabled"),
    "silent": Said("wird nicht gelesen", "silent"),
    "quiet": Said("ungewöhnlich still", "quiet"),
    "not_read": Said("noch nicht gelesen", "not read yet"),
    "check_few": Said("Wenige Stimmen: ", "Few votes: "),
    "check_waiting": Said("Noch nicht bewertete Erwähnungen", "Mentions not scored yet"),
    "check_stars": Said("Übereinstimmung mit Sternen", "Agreement with stars"),
    "check_copies": Said("Kopien, die nicht mitzählen", "Copies that are not counted"),
    "mean_source": Said(
        "Hier fehlen vielleicht Beiträge; warum, sagt die Seite Quellen",
        "Posts may be missing here; the page Sources says why",
    ),
    "mean_few": Said(
        "Das Intervall ist breit: erst ab etwa 50 Stimmen sind 20 Punkte mehr als Zufall",
        "The interval is wide: only from some 50 votes on are 20 points more than chance",
    ),
    "mean_waiting": Said(
        "Sie fehlen in allen Zahlen, bis das Modell sie gelesen hat",
        "They are missing from all figures until the model has read them",
    ),
    "mean_stars": Said(
        "Anteil der Erwähnungen mit Sternen, bei denen das Modell liest, was die Sterne sagen "
        "(4–5 positiv, 1–2 negativ)",
        "Share of mentions with stars in which the model reads what the stars say "
        "(4–5 positive, 1–2 negative)",
    ),
    "mean_copies": Said(
        "Anteil fast gleicher Texte; gezählt wird nur der erste",
        "Share of near-identical texts; only the first is counted",
    ),
}

OWN = "(SELECT name FROM companies WHERE own)"
_SUMS = (
    "sum(mentions) AS mentions, sum(authors) AS votes,\n        "
    "sum(positive) AS positive, sum(negative) AS negative"
)
_NET = "100.0 * (positive - negative) / votes"
_LOW, _HIGH = net_interval("positive", "negative", "votes")
_FELT = ",\n        ".join(f"sum({emotion} * authors) AS {emotion}" for emotion in EKMAN)
_MOST = f"max({', '.join(EKMAN)})"
_STRONGEST = "\n        ".join(f"WHEN {emotion} = {_MOST} THEN '{emotion}'" for emotion in EKMAN)
_EMOTION = f"CASE WHEN {_MOST} = 0 THEN NULL\n        {_STRONGEST} END"


def _since(default: int, times: int = 1) -> str:
    """SQL for the day before a window of :days that ends today."""
    days = f"ifnull(nullif(:days, ''), {default})"
    if times > 1:
        days = f"({times} * {days})"
    return f"date('now', '-' || {days} || ' days')"


def _recent(default: int) -> str:
    """SQL for mentions of the last :days; by time too, which has an index."""
    days = f"ifnull(nullif(:days, ''), {default})"
    return (
        f"day > date('now', '-' || {days} || ' days')\n"
        f"    AND posted_at > date('now', '-' || ({days} + 1) || ' days')"
    )


def _figure(alias: str) -> str:
    """SQL for net sentiment; NULL for too few votes."""
    return f"CASE WHEN {alias}.votes >= {FEWEST} THEN round({alias}.net, 1) END"


def _compared(now: str, before: str, name: str = "change") -> str:
    """SQL for a difference, its interval and a word on it, of two aliases with net, low, high."""
    low, high = difference_interval(
        (f"{now}.net", f"{now}.low", f"{now}.high"),
        (f"{before}.net", f"{before}.low", f"{before}.high"),
    )
    enough = f"{now}.votes >= {FEWEST} AND {before}.votes >= {FEWEST}"
    return f"""CASE WHEN {enough} THEN round({now}.net - {before}.net, 1) END AS {name},
    CASE WHEN {enough} THEN round({low}, 1) END AS {name}_low,
    CASE WHEN {enough} THEN round({high}, 1) END AS {name}_high,
    CASE
        WHEN {now}.votes < {FEWEST} OR {before}.votes < {FEWEST} THEN {{too_few}}
        WHEN {high} < 0 THEN {{worse}}
        WHEN {low} > 0 THEN {{better}}
        ELSE {{unclear}}
    END AS verdict"""


MOOD = f"""
WITH sums AS (
    SELECT service, {_SUMS},
        {_FELT}
    FROM service_daily
    WHERE company = {OWN} AND service IS NOT NULL AND day > {_since(28)}
    GROUP BY service
)
SELECT service,
    round({_NET}, 1) AS net_sentiment,
    round({_LOW}, 1) AS low,
    round({_HIGH}, 1) AS high,
    votes,
    round(100.0 * negative / votes) AS negative_percent,
    {_EMOTION} AS emotion,
    round(100.0 * {_MOST} / votes) AS emotion_percent
FROM sums WHERE votes >= {FEWEST}
ORDER BY net_sentiment
"""

CHANGE = f"""
WITH sums AS (
    SELECT service, day > {_since(28)} AS now, {_SUMS}
    FROM service_daily
    WHERE company = {OWN} AND service IS NOT NULL AND day > {_since(28, 2)}
    GROUP BY service, now
),
figures AS (SELECT *, {_NET} AS net, {_LOW} AS low, {_HIGH} AS high FROM sums)
SELECT n.service,
    {_figure("n")} AS net_sentiment, n.votes,
    {_figure("b")} AS before, b.votes AS votes_before,
    {_compared("n", "b")}
FROM figures n JOIN figures b ON b.service = n.service AND b.now = 0
WHERE n.now = 1
ORDER BY n.votes < {FEWEST} OR b.votes < {FEWEST}, n.net - b.net
"""

WEEK = f"""
WITH sums AS (
    SELECT service, day > date('now', '-7 days') AS now, {_SUMS},
        {_FELT}
    FROM service_daily
    WHERE company = {OWN} AND service IS NOT NULL AND day > date('now', '-35 days')
    GROUP BY service, now
),
figures AS (
    SELECT *, {_NET} AS net, {_LOW} AS low, {_HIGH} AS high, {_EMOTION} AS emotion FROM sums
)
SELECT n.service,
    n.mentions AS mentions_this_week,
    round(ifnull(b.mentions, 0) / 4.0, 1) AS usual_mentions_a_week,
    {_figure("n")} AS net_sentiment,
    {_figure("b")} AS four_weeks_before,
    {_compared("n", "b")},
    CASE WHEN n.votes >= {FEWEST} THEN n.emotion END AS emotion,
    CASE WHEN b.votes >= {FEWEST} THEN b.emotion END AS emotion_before,
    (SELECT group_concat(a.rule || ' ' || a.state, ', ') FROM active_alerts a
     WHERE a.service = n.service) AS alerts
FROM figures n LEFT JOIN figures b ON b.service = n.service AND b.now = 0
WHERE n.now = 1
ORDER BY alerts IS NULL, n.votes < {FEWEST}, n.net - b.net
"""

WHY = f"""
SELECT day, service, source, polarity, round(valence, 2) AS valence, emotion, rating, snippet, url
FROM scored_mentions
WHERE company = {OWN}
    AND (service = :service OR ifnull(:service, '') = '')
    AND polarity = ifnull(nullif(:polarity, ''), 'negative')
    AND {_recent(14)}
    AND NOT is_copy AND snippet <> ''
ORDER BY abs(valence) DESC, posted_at DESC
LIMIT 25
"""

ATTENTION = f"""
WITH sums AS (
    SELECT company, service, sum(mentions) AS mentions FROM service_daily
    WHERE service IS NOT NULL AND day > {_since(28)}
    GROUP BY company, service
),
rivals AS (
    SELECT service, company, mentions, sum(mentions) OVER (PARTITION BY service) AS theirs,
        row_number() OVER (PARTITION BY service ORDER BY mentions DESC, company) AS place
    FROM sums WHERE company <> {OWN}
),
named AS (
    SELECT service FROM sums WHERE company = {OWN} UNION SELECT service FROM rivals
)
SELECT s.service,
    ifnull(o.mentions, 0) AS our_mentions,
    round(100.0 * o.mentions / sum(o.mentions) OVER (), 1) AS percent_of_our_services,
    round(100.0 * ifnull(o.mentions, 0) / (ifnull(o.mentions, 0) + ifnull(r.theirs, 0)), 1)
        AS percent_of_all_companies,
    r.company AS loudest_competitor,
    r.mentions AS its_mentions
FROM named s
LEFT JOIN sums o ON o.service = s.service AND o.company = {OWN}
LEFT JOIN rivals r ON r.service = s.service AND r.place = 1
ORDER BY our_mentions DESC, its_mentions DESC
"""

COMPETITORS = f"""
WITH sums AS (
    SELECT company, service, {_SUMS} FROM service_daily
    WHERE service IS NOT NULL AND day > {_since(90)}
    GROUP BY company, service
    HAVING sum(authors) >= {FEWEST}
),
figures AS (SELECT *, {_NET} AS net, {_LOW} AS low, {_HIGH} AS high FROM sums)
SELECT o.service, r.company AS competitor,
    round(o.net, 1) AS our_net_sentiment, o.votes AS our_votes,
    round(r.net, 1) AS their_net_sentiment, r.votes AS their_votes,
    {_compared("o", "r", "difference")}
FROM figures o JOIN figures r ON r.service = o.service AND r.company <> o.company
WHERE o.company = {OWN}
ORDER BY o.net - r.net
"""

SURVEYS = """
SELECT service, period, upper(metric) AS survey, sentence_{language} AS answer,
    round(public, 1) AS net_sentiment, round(public_change, 1) AS public_change, public_n,
    round(survey, 2) AS survey_value, round(survey_change, 2) AS survey_change, survey_n
FROM divergence
WHERE period = ifnull(nullif(:month, ''), (SELECT max(period) FROM divergence))
    AND (service = :service OR ifnull(:service, '') = '')
ORDER BY verdict = 'no clear change', service, metric
"""

SOURCES = f"""
WITH votes AS (
    SELECT source, avg(negative) AS n, avg(neutral) AS o, avg(positive) AS p,
        avg(rating) AS rating
    FROM scored_mentions
    WHERE company = {OWN} AND service IS NOT NULL AND NOT is_copy
        AND (service = :service OR ifnull(:service, '') = '')
        AND {_recent(28)}
    GROUP BY source, service, day, ifnull(author, mention_id)
),
sums AS (
    SELECT source, count(*) AS votes, sum(p > n AND p > o) AS positive,
        sum(n >= o AND n >= p) AS negative, avg(rating) AS stars
    FROM votes GROUP BY source
)
SELECT source,
    round({_NET}, 1) AS net_sentiment,
    round({_LOW}, 1) AS low,
    round({_HIGH}, 1) AS high,
    votes,
    round(100.0 * votes / sum(votes) OVER (), 1) AS percent_of_votes,
    round(stars, 1) AS mean_stars
FROM sums WHERE votes >= {FEWEST}
ORDER BY net_sentiment
"""

WEEKDAYS = f"""
WITH sums AS (
    SELECT CAST(strftime('%w', day) AS INTEGER) AS number, count(DISTINCT day) AS days, {_SUMS}
    FROM service_daily
    WHERE company = {OWN} AND service IS NOT NULL AND day > {_since(180)}
        AND (service = :service OR ifnull(:service, '') = '')
    GROUP BY number
)
SELECT
    CASE number WHEN 1 THEN {{monday}} WHEN 2 THEN {{tuesday}} WHEN 3 THEN {{wednesday}}
        WHEN 4 THEN {{thursday}} WHEN 5 THEN {{friday}} WHEN 6 THEN {{saturday}}
        ELSE {{sunday}} END AS weekday,
    round(1.0 * mentions / days, 1) AS mentions_a_day,
    round({_NET}, 1) AS net_sentiment,
    round({_LOW}, 1) AS low,
    round({_HIGH}, 1) AS high,
    votes
FROM sums WHERE votes >= {FEWEST}
ORDER BY (number + 6) % 7
"""

_READ_RATING = (
    "CASE WHEN rating >= 4 THEN 'positive' WHEN rating <= 2 THEN 'negative' ELSE 'neutral' END"
)
STARS = f"""
SELECT day, service, source, rating AS stars, polarity, round(valence, 2) AS valence, snippet, url
FROM scored_mentions
WHERE company = {OWN}
    AND (service = :service OR ifnull(:service, '') = '')
    AND ((rating >= 4 AND polarity = 'negative') OR (rating <= 2 AND polarity = 'positive'))
    AND {_recent(90)}
    AND NOT is_copy
ORDER BY abs(valence) DESC, posted_at DESC
LIMIT 50
"""

SEGMENTS = f"""
SELECT service, segment, period, upper(metric) AS survey, round(value, 2) AS value,
    round(low, 2) AS low, round(high, 2) AS high, responses
FROM survey_scores
WHERE segment IS NOT NULL AND value IS NOT NULL
    AND metric = lower(ifnull(nullif(:metric, ''), 'nps'))
    AND (service = :service OR ifnull(:service, '') = '')
    AND period >= strftime('%Y-%m', 'now', 'start of month',
        '-' || (ifnull(nullif(:months, ''), 2) - 1) || ' months')
    AND responses >= {FEWEST}
ORDER BY value
"""

_SHARE_LOW, _SHARE_HIGH = share_interval("(1.0 * same / n)", "n")
TRUST = f"""
WITH public AS (
    SELECT service, sum(authors) AS votes, sum(mentions) AS mentions, sum(raw_mentions) AS texts
    FROM service_daily
    WHERE company = {OWN} AND service IS NOT NULL AND day > {_since(28)}
    GROUP BY service
),
rated AS (
    SELECT count(*) AS n, sum(polarity = {_READ_RATING}) AS same
    FROM scored_mentions
    WHERE company = {OWN} AND rating IS NOT NULL AND (rating <= 2 OR rating >= 4)
        AND source_kind <> 'survey'
        AND {_recent(28)}
)
SELECT * FROM (
    SELECT 1 AS place, {{check_waiting}} AS what,
        CAST((SELECT count(*) FROM mentions WHERE model IS NULL) AS TEXT) AS value,
        {{mean_waiting}} AS meaning
    UNION ALL
    SELECT 2, {{check_source}} || source,
        CASE health WHEN 'failing' THEN {{failing}} WHEN 'disabled' THEN {{disabled}}
            WHEN 'silent' THEN {{silent}} WHEN 'quiet' THEN {{quiet}} ELSE {{not_read}} END,
        {{mean_source}}
    FROM source_health WHERE health <> 'ok'
    UNION ALL
    SELECT 3, {{check_few}} || service, CAST(votes AS TEXT), {{mean_few}}
    FROM public WHERE votes < 50
    UNION ALL
    SELECT 4, {{check_stars}},
        printf('%.0f %% [%.0f–%.0f], n = %d', 100.0 * same / n, {_SHARE_LOW}, {_SHARE_HIGH}, n),
        {{mean_stars}}
    FROM rated WHERE n >= {FEWEST}
    UNION ALL
    SELECT 5, {{check_copies}},
        printf('%.1f %%', 100.0 * (sum(texts) - sum(mentions)) / sum(texts)), {{mean_copies}}
    FROM public HAVING sum(texts) > 0
) ORDER BY place, what
"""


QUERIES = (
    Query(
        "mood",
        Said("Stimmung je Leistung", "Mood by service"),
        Said(
            "Wie ist die Stimmung je Leistung, und welche Emotion treibt sie?",
            "How do people feel about each service, and which emotion drives that?",
        ),
        Said(
            "Die Leistung mit der schlechtesten Stimmung steht oben. Netto-Stimmung: Anteil "
            "positiver minus Anteil negativer Stimmen, −100 bis 100. Mit 95 % Sicherheit liegt sie "
            "zwischen „low“ und „high“; eine Autorin zählt je Leistung und Tag einmal.",
            "The service with the worst mood comes first. Net sentiment: share of positive less "
            "share of negative votes, −100 to 100, with 95 % confidence between low and high. An "
            "author counts once per service and day.",
        ),
        MOOD,
        {"days": "28"},
    ),
    Query(
        "change",
        Said("Besser oder schlechter?", "Better or worse?"),
        Said(
            "Wird es besser oder schlechter, und ist das mehr als Zufall?",
            "Is it getting better or worse, really or by chance?",
        ),
        Said(
            "Verglichen werden die letzten Tage mit ebenso vielen davor. „schlechter“ und „besser“ "
            "stehen nur da, wenn das Intervall der Änderung die Null nicht berührt.",
            "The last days are compared with as many before. It says worse or better only where "
            "the interval of the change does not touch 0.",
        ),
        CHANGE,
        {"days": "28"},
    ),
    Query(
        "week",
        Said("Was war diese Woche?", "What happened this week?"),
        Said(
            "Was hat sich in den letzten sieben Tagen geändert, und gibt es Alarme?",
            "What changed in the last seven days, and are there alerts?",
        ),
        Said(
            "Leistungen mit Alarm stehen oben, dann die mit dem stärksten Rückgang gegen die vier "
            "Wochen davor. Viel mehr Erwähnungen als üblich sind auch eine Nachricht.",
            "Services with an alert come first, then those that fell most against the four weeks "
            "before. Many more mentions than usual are news, too.",
        ),
        WEEK,
        {},
    ),
    Query(
        "why",
        Said("Beiträge, die es erklären", "Posts that explain it"),
        Said(
            "Welche Beiträge erklären die Stimmung zu einer Leistung?",
            "Which posts explain the mood about a service?",
        ),
        Said(
            "Die deutlichsten zuerst. „polarity“ ist negative, neutral oder positive; ohne "
            "„service“ kommen alle Leistungen. Kopien stehen nicht da.",
            "The clearest first. polarity is negative, neutral or positive; without service, all "
            "services. Copies are left out.",
        ),
        WHY,
        {"service": "", "polarity": "negative", "days": "14"},
    ),
    Query(
        "attention",
        Said("Aufmerksamkeit", "Attention"),
        Said(
            "Wie viel wird über jede Leistung gesprochen, neben unseren anderen und neben den "
            "Wettbewerbern?",
            "How much is said about each service, beside our others and beside competitors?",
        ),
        Said(
            "„percent_of_our_services“: Anteil an allen Erwähnungen unserer Leistungen. "
            "„percent_of_all_companies“: unser Anteil an dem, was über diese Leistung bei uns und "
            "den Wettbewerbern gesagt wird.",
            "percent_of_our_services: share of all mentions of our services. "
            "percent_of_all_companies: our share of what is said about this service at all "
            "companies.",
        ),
        ATTENTION,
        {"days": "28"},
    ),
    Query(
        "competitors",
        Said("Gegen die Wettbewerber", "Against competitors"),
        Said(
            "Wo stehen wir schlechter da als ein Wettbewerber?",
            "Where are we worse than a competitor?",
        ),
        Said(
            "Oben steht der größte Rückstand. „schlechter“ heißt: Der Unterschied ist mehr als "
            "Zufall, zu unseren Ungunsten.",
            "The largest deficit comes first. Worse: the difference is beyond chance and against "
            "us.",
        ),
        COMPETITORS,
        {"days": "90"},
    ),
    Query(
        "surveys",
        Said("Und die Befragungen?", "And the surveys?"),
        Said(
            "Sagen die Befragungen dasselbe wie die Öffentlichkeit?",
            "Do the surveys say the same as the public?",
        ),
        Said(
            "Ein Satz je Leistung, Monat und Kennzahl, mit der Änderung gegen den Vormonat und "
            "ihrem Intervall. „month“ ist ein Monat wie 2026-03; leer: der letzte.",
            "A sentence for each service, month and figure, with the change against the month "
            "before and its interval. month is one such as 2026-03; empty: the last one.",
        ),
        SURVEYS,
        {"month": "", "service": ""},
    ),
    Query(
        "sources",
        Said("Wo wird am härtesten geurteilt?", "Where are people harshest?"),
        Said(
            "Welche Quelle urteilt am härtesten, und wie viel Gewicht hat sie?",
            "Which source is harshest, and how much weight has it?",
        ),
        Said(
            "Die Quelle mit der schlechtesten Stimmung steht oben. Wer sich beschwert, schreibt "
            "eher in ein Forum: Vergleichen Sie eine Quelle vor allem mit sich selbst.",
            "The source with the worst mood comes first. People who complain write in forums: "
            "compare a source with itself above all.",
        ),
        SOURCES,
        {"service": "", "days": "28"},
    ),
    Query(
        "weekdays",
        Said("Wochentage", "Weekdays"),
        Said(
            "An welchen Wochentagen ist die Stimmung schlecht?",
            "On which weekdays is the mood bad?",
        ),
        Said(
            "Nur wo sich zwei Intervalle nicht überschneiden, unterscheiden sich die Tage sicher. "
            "Gut zu wissen für Redaktion und Bereitschaft.",
            "Only where two intervals do not overlap do the days surely differ. Good to know for "
            "who answers, and when.",
        ),
        WEEKDAYS,
        {"service": "", "days": "180"},
    ),
    Query(
        "trust",
        Said("Wie weit kann ich den Zahlen trauen?", "How far can I trust this?"),
        Said(
            "Was ist noch nicht bewertet, welche Quelle schweigt, wo sind es zu wenige Stimmen?",
            "What is not scored yet, which source is silent, where are votes too few?",
        ),
        Said(
            "Eine Zeile je Prüfung mit ihrer Bedeutung. Steht keine Quelle da, sind alle gesund.",
            "A row a check, with what it means. Where no source is listed, all are healthy.",
        ),
        TRUST,
        {"days": "28"},
    ),
    Query(
        "stars",
        Said("Sterne gegen Text", "Stars against words"),
        Said(
            "Wo widerspricht die Bewertung des Textes den Sternen?",
            "Where does the score of the words contradict the stars?",
        ),
        Said(
            "Fünf Sterne mit einem bösen Text sind oft Ironie, ein verrutschter Stern oder ein "
            "Fehler des Modells: Lesen Sie selbst.",
            "Five stars with harsh words are often irony, a slip, or a mistake of the model: read "
            "for yourself.",
        ),
        STARS,
        {"service": "", "days": "90"},
    ),
    Query(
        "segments",
        Said("Kundenklassen", "Customer classes"),
        Said(
            "Welche Kundenklasse ist in den Befragungen am unzufriedensten?",
            "Which customer class is least content in the surveys?",
        ),
        Said(
            "Der schlechteste Wert steht oben. „metric“ ist nps, csat, csat_top2 oder ces; Werte "
            "von zu wenigen Menschen werden nicht gezeigt.",
            "The worst value comes first. metric is nps, csat, csat_top2 or ces; values of too few "
            "people are not shown.",
        ),
        SEGMENTS,
        {"metric": "nps", "service": "", "months": "2"},
    ),
)
"""Ten questions, and two that follow from them."""
