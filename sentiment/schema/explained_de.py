"""What the views and their columns mean, in German: the language of most who read them."""

from __future__ import annotations

_EMOTIONS = {
    "anger": "Wut", "disgust": "Ekel", "fear": "Angst", "joy": "Freude",
    "sadness": "Trauer", "surprise": "Überraschung",
}  # fmt: skip
_COMPANY = "das eigene Unternehmen oder ein Wettbewerber"
_SERVICE = "Leistung aus dem Portfolio; leer: das Unternehmen als Ganzes"
_PORTFOLIO = "Leistung aus dem Portfolio"
_MONTH = "Monat, JJJJ-MM"
_LOW, _HIGH = "untere Grenze des 95-%-Intervalls", "obere Grenze des 95-%-Intervalls"
_CHANGE = "gegenüber dem Vormonat"

_PERIOD = {
    "company": _COMPANY,
    "service": _SERVICE,
    "{period}": "",
    "mentions": "bewertete Erwähnungen; fast gleiche Texte zählen einmal, Umfragekommentare nicht",
    "authors": "Stimmen: Wer schreibt, zählt je Leistung und Tag einmal; n aller Zahlen hier",
    "positive": "positive Stimmen (Mittel der Erwähnungen einer Person an diesem Tag)",
    "neutral": "neutrale Stimmen",
    "negative": "negative Stimmen",
    "net_sentiment": "Netto-Stimmung: 100 × (positive − negative) / Stimmen, −100 bis 100 wie NPS",
    "net_sentiment_low": "untere Grenze ihres 95-%-Intervalls",
    "net_sentiment_high": "obere Grenze ihres 95-%-Intervalls",
    "attention": "Anteil (0 bis 1) an allen Erwähnungen des Zeitraums, alle Unternehmen zusammen",
    **{name: f"Anteil (0 bis 1) der Stimmen, in denen {said} steckt"
       for name, said in _EMOTIONS.items()},
    "raw_mentions": "bewertete Erwähnungen mit allen Kopien",
}  # fmt: skip


def _period(column: str, meaning: str) -> dict[str, str]:
    return {
        (column if name == "{period}" else name): (meaning if name == "{period}" else said)
        for name, said in _PERIOD.items()
    }


_METRICS = {
    "csat": "CSAT des Monats: mittlere Antwort auf ihrer Skala",
    "csat_top2": "Anteil der zwei besten CSAT-Antworten in Prozent",
    "nps": "NPS des Monats: 100 × (Promotoren 9–10 − Detraktoren 0–6) / Antworten",
    "ces": "CES des Monats: mittlere Antwort auf ihrer Skala",
}
_SURVEY_COLUMNS = {
    f"{metric}{suffix}": said or meaning
    for metric, meaning in _METRICS.items()
    for suffix, said in {
        "": "", "_low": _LOW, "_high": _HIGH, "_responses": "Antworten dahinter (n)",
        "_change": _CHANGE,
    }.items()
}  # fmt: skip

VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "scored_mentions": (
        ("Eine Zeile je bewerteter Erwähnung: was über welche Leistung gesagt wurde, und wie es "
        "gemeint war."),
        {
            "mention_id": "Nummer der Erwähnung",
            "company": _COMPANY,
            "service": _SERVICE,
            "source": "Name der Quelle",
            "source_kind": "ihre Art: rss, file, …",
            "language": "Sprache des Beitrags (ISO 639-1); leer: nicht erkennbar",
            "posted_at": "wann er geschrieben wurde, UTC",
            "day": "sein Datum in der eingestellten Zeitzone",
            "url": "Link zum Beitrag",
            "snippet": "was über diese Leistung gesagt wurde",
            "polarity": "negative, neutral oder positive: das Wahrscheinlichste von den dreien",
            "valence": "Wertung: p(positiv) − p(negativ), −1 bis 1",
            "emotion": "stärkste vorhandene Emotion; leer: keine",
            **{name: f"Wahrscheinlichkeit von {said}; ab 0,5 vorhanden"
               for name, said in _EMOTIONS.items()},
            "rating": "Sterne der Autorin oder des Autors, 1 bis 5, wo es sie gibt",
            "model": "Modell, das bewertet hat, Name@Fassung",
            "negative": "Wahrscheinlichkeit von negativ",
            "neutral": "Wahrscheinlichkeit von neutral",
            "positive": "Wahrscheinlichkeit von positiv; die drei ergeben zusammen 1",
            "author": "Pseudonym, je Quelle ein anderes",
            "is_copy": "1: fast gleich einem früheren Beitrag, zählt nicht noch einmal",
            "post_id": "Nummer des Beitrags",
            "finer_emotions": "feinere Emotionen des Modells, die vorhanden sind, stärkste zuerst",
        },
    ),
    "service_daily": (
        "Eine Zeile je Unternehmen, Leistung und Tag.",
        _period("day", "Datum in der eingestellten Zeitzone"),
    ),
    "service_weekly": ("Dasselbe je Woche.", _period("period", "Montag der Woche")),
    "service_monthly": ("Dasselbe je Monat.", _period("period", _MONTH)),
    "service_drivers": (
        "Eine Zeile je Wendung, die negative von positiven Erwähnungen einer Leistung trennt.",
        {
            "company": _COMPANY,
            "service": _SERVICE,
            "period": "28 days, 90 days, 365 days (bis heute) oder ein Monat, JJJJ-MM",
            "from_day": "erster Tag",
            "to_day": "letzter Tag",
            "polarity": "negative oder positive: wo die Wendung häufiger steht",
            "phrase": "ein bis drei Wörter, wie sie am häufigsten geschrieben werden",
            "mentions": "Erwähnungen dieser Polarität mit der Wendung; Kopien zählen einmal",
            "authors": "Stimmen dieser Polarität mit ihr, mindestens 3; jede zählt einmal",
            "of_authors": "alle Stimmen dieser Polarität im Zeitraum",
            "other_authors": "Stimmen der anderen Polarität mit ihr",
            "of_other_authors": "alle Stimmen der anderen Polarität",
            "log_odds": "logarithmiertes Chancenverhältnis mit informativer Vorverteilung "
            "(Monroe u. a. 2008): 0 gleich häufig, 0,7 etwa doppelt, 2,3 etwa zehnmal so häufig",
            "low": _LOW,
            "high": _HIGH,
            "z": "wie sicher das ist; die deutlichste Wendung hat den größten Wert",
            "beyond_chance": "1: das Intervall enthält 0 nicht; 0: auffällig, vielleicht Zufall",
            "example_mention_id": "die Erwähnung mit der Wendung, die am deutlichsten wertet",
            "updated_at": "wann der Zeitraum zuletzt berechnet wurde, UTC",
        },
    ),
    "service_scorecard": (
        "Eine Zeile je eigener Leistung und Monat: die öffentliche Stimmung neben den Befragungen.",
        {
            "service": _PORTFOLIO,
            "period": _MONTH,
            **{name: _PERIOD[name] for name in (
                "net_sentiment", "net_sentiment_low", "net_sentiment_high", "mentions", "authors",
                "attention")},
            "emotion": "Emotion mit dem größten Anteil an den Stimmen; leer: keine",
            "net_sentiment_change": "gegenüber dem Vormonat, in Punkten",
            "attention_change": _CHANGE,
            **_SURVEY_COLUMNS,
        },
    ),
    "survey_scores": (
        "Umfragewerte je Leistung, Kundenklasse und Monat; leer unter `min_responses` Menschen.",
        {
            "service": _SERVICE,
            "segment": "Kundenklasse (A, B, C …); leer: alle zusammen",
            "period": _MONTH,
            "metric": "csat, csat_top2, nps oder ces",
            "value": "CSAT und CES auf ihrer Skala, NPS von −100 bis 100, csat_top2 in Prozent",
            "low": _LOW,
            "high": _HIGH,
            "responses": "Antworten dahinter (n)",
            "effective_responses": "was sie mit den Gewichten der Umfrage wert sind (Kish)",
            "scale_low": "unteres Ende der Skala des Werts",
            "scale_high": "oberes Ende der Skala",
        },
    ),
    "service_changes": (
        ("Eine Zeile je eigener Leistung, Monat und Kennzahl: der Wert, der Vormonat, und ob die "
        "Änderung mehr ist als Zufall."),
        {
            "service": _PORTFOLIO,
            "period": _MONTH,
            "metric": "net_sentiment, csat, csat_top2, nps oder ces",
            "value": "der Wert auf seiner Skala",
            "low": _LOW,
            "high": _HIGH,
            "n": "Stimmen oder Antworten dahinter",
            "before": "der Wert des Vormonats",
            "n_before": "Stimmen oder Antworten dahinter",
            "change": _CHANGE,
            "change_low": "untere Grenze des 95-%-Intervalls der Änderung",
            "change_high": "obere Grenze des 95-%-Intervalls der Änderung",
            "scale_low": "unteres Ende der Skala",
            "scale_high": "oberes Ende der Skala",
            "beyond_chance": "1: Das Intervall der Änderung berührt die Null nicht",
        },
    ),
    "divergence": (
        ("Eine Zeile je Leistung, Monat und Umfragewert: Bewegen sich Befragung und Öffentlichkeit "
        "gemeinsam?"),
        {
            "service": _PORTFOLIO,
            "period": _MONTH,
            "metric": "der Umfragewert: nps, csat oder ces",
            "verdict": "das Urteil als Schlagwort; als Satz steht es in sentence_de",
            "public": "Netto-Stimmung der öffentlichen Beiträge",
            "public_change": _CHANGE,
            "public_change_low": _LOW,
            "public_change_high": _HIGH,
            "public_n": "Stimmen des Monats",
            "survey": "der Umfragewert auf seiner Skala",
            "survey_change": _CHANGE,
            "survey_change_low": _LOW,
            "survey_change_high": _HIGH,
            "survey_n": "Antworten des Monats",
            "difference": "Änderung der Öffentlichkeit minus Änderung der Befragung, beide auf "
            "einer Skala von −100 bis 100",
            "difference_low": _LOW,
            "difference_high": _HIGH,
            "sentence_de": "das Urteil mit seinen Zahlen als Satz",
            "sentence_en": "dasselbe auf Englisch",
        },
    ),
    "lead_lag": (
        ("Eine Zeile je Leistung, Umfragewert und Verschiebung: wie Änderungen der öffentlichen "
        "Stimmung mit denen der Befragung einige Monate später zusammengehen. Erst ab zwölf "
        "Änderungen von beiden."),
        {
            "service": _PORTFOLIO,
            "metric": "der Umfragewert: nps, csat oder ces",
            "shift": "Monate, um die die Befragung später kommt; unter 0: früher",
            "months": "Monatspaare dahinter",
            "correlation": "Zusammenhang, −1 bis 1",
            "low": _LOW,
            "high": _HIGH,
            "sentence_de": "dasselbe als deutscher Satz",
            "sentence_en": "dasselbe auf Englisch",
        },
    ),
    "survey_comment_scores": (
        ("Eine Zeile je bewertetem Umfragekommentar mit Zahl: was das Modell gelesen hat, und was "
        "die Zahl sagt."),
        {
            "survey": "Name der Umfrage",
            "service": "wonach gefragt wurde; leer: das Unternehmen als Ganzes",
            "posted_at": "wann er geschrieben wurde, UTC",
            "day": "sein Datum in der eingestellten Zeitzone",
            "snippet": "der Kommentar, ohne Namen und Adressen",
            "polarity": "was das Modell gelesen hat",
            "valence": "Wertung: p(positiv) − p(negativ), −1 bis 1",
            "rating": "die Zahl der Person, auf eine Skala von 1 bis 5 gebracht",
            "rating_polarity": "positiv ab 3,75, negativ bis 2,25, sonst neutral",
            "post_id": "Nummer des Beitrags",
        },
    ),
    "model_changes": (
        "Eine Zeile je Erwähnung und früherem Modell: alte Bewertungen neben den heutigen.",
        {
            "mention_id": "Nummer der Erwähnung",
            "company": _COMPANY,
            "service": _SERVICE,
            "snippet": "was über diese Leistung gesagt wurde",
            "old_model": "das frühere Modell",
            "old_polarity": "seine Polarität",
            "old_valence": "seine Wertung",
            "new_model": "das Modell, dessen Bewertung heute zählt",
            "new_polarity": "seine Polarität",
            "new_valence": "seine Wertung",
        },
    ),
    "active_alerts": (
        "Alarme, die anstehen (pending) oder ausgelöst sind (firing).",
        {
            "alert_id": "Nummer des Alarms",
            "rule": "die Regel, die ihn ausgelöst hat",
            "company": _COMPANY,
            "service": _SERVICE,
            "subject": "worum es sonst geht: eine Quelle, Umfragewert und Klasse, eine Emotion",
            "state": "pending: steht an; firing: ausgelöst",
            "since_at": "seit wann, UTC",
            "acknowledged_at": "wann jemand gesagt hat, dass er Bescheid weiß, UTC",
            "reason": "warum",
            "detail": "die Zahlen dahinter, als JSON",
        },
    ),
    "source_health": (
        "Eine Zeile je Quelle: wie es ihr geht.",
        {
            "source": "ihr Name",
            "kind": "ihre Art",
            "health": "ok; not read yet: noch nie gelesen; silent: seit fünf Abständen kein "
            "Erfolg; quiet: viel länger als üblich kein neuer Beitrag; failing: Fehler; disabled: "
            "abgeschaltet",
            "last_success_at": "wann sie zuletzt ganz gelesen wurde, UTC",
            "posts": "gespeicherte Beiträge",
            "posts_last_day": "davon in den letzten 24 Stunden gesammelt",
            "usual_posts_a_day": "Mittel der letzten 28 Tage",
            "last_error": "was zuletzt schiefging; leer: alles in Ordnung",
            "error_count": "Fehlversuche seit dem letzten Erfolg",
            "last_attempt_at": "letzter Versuch, UTC",
            "next_attempt_at": "nächster Versuch, UTC",
            "problems": "was die letzte Lesung auslassen musste, gezählt",
            "last_problem": "das letzte davon, in Worten",
            "gaps": "wie oft in den letzten 30 Tagen Beiträge verloren gingen, weil der Dienst nur "
            "so viele zeigt",
            "last_gap": "das letzte Mal, in Worten; leer: keines",
            "last_gap_at": "wann das bemerkt wurde, UTC",
            "quota": "was vom Kontingent des Dienstes übrig ist",
            "recheck_error": "warum gespeicherte Beiträge nicht nachgesehen werden konnten; leer: "
            "alles in Ordnung",
        },
    ),
}  # fmt: skip
"""As in explained.py; what is missing here is shown in English."""

for _view in ("survey_scores", "service_scorecard"):
    for _suffix, _unit, _start in (
        ("weekly", "Woche", "Montag der Woche"),
        ("daily", "Tag", "Datum in der eingestellten Zeitzone"),
    ):
        VIEWS[f"{_view}_{_suffix}"] = (
            f"Dasselbe wie {_view} je {_unit}.",
            {
                name: said.replace(_MONTH, _start)
                .replace("gegenüber dem Vormonat", f"gegenüber dem vorigen Zeitraum ({_unit})")
                .replace(" des Monats", "")
                for name, said in VIEWS[_view][1].items()
            },
        )
del VIEWS["service_scorecard_daily"]
