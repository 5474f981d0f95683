"""The report's words in German and English."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "de": {
        "title": "{company}: Stimmung und Befragung, {month}",
        "to": "bis",
        "net": "Stimmung",
        "nothing": "Zu diesem Monat gibt es keine Werte.",
        "falls": "Mehr als Zufall ist der Rückgang bei: {services}.",
        "rises": "Mehr als Zufall ist der Anstieg bei: {services}.",
        "calm": "Nichts hat sich gegenüber dem Vormonat mehr verändert, als der Zufall erklärt.",
        "scorecard": "Leistungen im Überblick",
        "service": "Leistung",
        "figure": "Wert",
        "mentions": "Erwähnungen",
        "attention": "Aufmerksamkeit",
        "emotion": "stärkste Emotion",
        "top2": "zwei beste Noten",
        "few": "zu wenige",
        "hidden": "nicht gezeigt",
        "public": "öffentlich",
        "anger": "Wut",
        "disgust": "Ekel",
        "fear": "Angst",
        "joy": "Freude",
        "sadness": "Trauer",
        "surprise": "Überraschung",
        "segments": "Nach Kundenklassen",
        "changes": "Was sich gegenüber dem Vormonat verändert hat",
        "fell": "{figure} fiel von {before} auf {value}: {change} (95 %: {interval}), "
        "bei {n_before} und {n} Stimmen. Das ist mehr als Zufall.",
        "rose": "{figure} stieg von {before} auf {value}: {change} (95 %: {interval}), "
        "bei {n_before} und {n} Stimmen. Das ist mehr als Zufall.",
        "chance": "Verglichen wurden {compared} Werte. Auch wenn sich nichts verändert hätte, "
        "wären davon etwa {expected} aus Zufall aufgefallen.",
        "no_changes": "Verglichen wurden {compared} Werte; keiner hat sich mehr verändert, als der "
        "Zufall erklärt.",
        "drivers_negative": "Häufiger in negativen als in positiven Erwähnungen ({days} Tage bis "
        "Monatsende): {phrases}.",
        "drivers_positive": "Häufiger in positiven als in negativen Erwähnungen ({days} Tage bis "
        "Monatsende): {phrases}.",
        "drivers_negative_faint": "Häufiger in negativen als in positiven Erwähnungen ({days} Tage "
        "bis Monatsende), vielleicht aus Zufall: {phrases}.",
        "drivers_positive_faint": "Häufiger in positiven als in negativen Erwähnungen ({days} Tage "
        "bis Monatsende), vielleicht aus Zufall: {phrases}.",
        "drivers_faint": "Vielleicht aus Zufall auch: {phrases}.",
        "driver_negative": "„{phrase}“ (bei {authors} von {voices} negativen und {other_authors} "
        "von {other_voices} positiven Stimmen)",
        "driver_positive": "„{phrase}“ (bei {authors} von {voices} positiven und {other_authors} "
        "von {other_voices} negativen Stimmen)",
        "together": "Öffentliche Stimmung und Befragung",
        "quiet": "Weder die öffentliche Stimmung noch die Befragung hat sich klar verändert.",
        "leads": "{service}: Die öffentliche Stimmung geht {figure} um {shift} Monate voraus "
        "(Korrelation {correlation}, 95 %: {interval}, {months} Monate).",
        "lags": "{service}: {figure} geht der öffentlichen Stimmung um {shift} Monate voraus "
        "(Korrelation {correlation}, 95 %: {interval}, {months} Monate).",
        "at_once": "{service}: Öffentliche Stimmung und {figure} verändern sich im selben Monat "
        "(Korrelation {correlation}, 95 %: {interval}, {months} Monate).",
        "agreement": "{survey}: Das Modell liest {same} % der Kommentare so, wie ihre Verfasser "
        "selbst bewertet haben (95 %: {interval} %, n {n}); {opposite} liest es umgekehrt.",
        "alerts": "Alarme",
        "alert": "{about}, seit {since}: {reason}",
        "method": "Stimmung: 100 × (Anteil positiv − Anteil negativ), wie NPS von −100 bis +100. "
        "In Klammern 95-%-Bereiche; n: Antworten. Werte mit weniger als {votes} Stimmen, oder mit "
        "weniger Befragten als eingestellt, werden nicht gezeigt.",
    },
    "en": {
        "title": "{company}: sentiment and surveys, {month}",
        "to": "to",
        "net": "Sentiment",
        "nothing": "There are no figures for this month.",
        "falls": "Down by more than chance: {services}.",
        "rises": "Up by more than chance: {services}.",
        "calm": "Nothing has changed against the month before by more than chance explains.",
        "scorecard": "Services at a glance",
        "service": "Service",
        "figure": "Figure",
        "mentions": "Mentions",
        "attention": "Attention",
        "emotion": "Strongest emotion",
        "top2": "Two best marks",
        "few": "too few",
        "hidden": "not shown",
        "public": "public",
        "anger": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "joy": "joy",
        "sadness": "sadness",
        "surprise": "surprise",
        "segments": "By customer class",
        "changes": "What has changed against the month before",
        "fell": "{figure} fell from {before} to {value}: {change} (95 %: {interval}), with "
        "{n_before} and {n} voices. That is more than chance.",
        "rose": "{figure} rose from {before} to {value}: {change} (95 %: {interval}), with "
        "{n_before} and {n} voices. That is more than chance.",
        "chance": "{compared} figures were compared. Had nothing changed, about {expected} of them "
        "would have stood out by chance.",
        "no_changes": "{compared} figures were compared; none has changed by more than chance "
        "explains.",
        "drivers_negative": "More often in negative than in positive mentions ({days} days up to "
        "the month's end): {phrases}.",
        "drivers_positive": "More often in positive than in negative mentions ({days} days up to "
        "the month's end): {phrases}.",
        "drivers_negative_faint": "More often in negative than in positive mentions ({days} days "
        "up to the month's end), perhaps by chance: {phrases}.",
        "drivers_positive_faint": "More often in positive than in negative mentions ({days} days "
        "up to the month's end), perhaps by chance: {phrases}.",
        "drivers_faint": "Perhaps by chance, also: {phrases}.",
        "driver_negative": "“{phrase}” (said by {authors} of {voices} negative and {other_authors} "
        "of {other_voices} positive voices)",
        "driver_positive": "“{phrase}” (said by {authors} of {voices} positive and {other_authors} "
        "of {other_voices} negative voices)",
        "together": "Public sentiment and surveys",
        "quiet": "Neither public sentiment nor the survey has clearly changed.",
        "leads": "{service}: public sentiment runs {shift} months ahead of {figure} "
        "(correlation {correlation}, 95 %: {interval}, {months} months).",
        "lags": "{service}: {figure} runs {shift} months ahead of public sentiment "
        "(correlation {correlation}, 95 %: {interval}, {months} months).",
        "at_once": "{service}: public sentiment and {figure} change in the same month "
        "(correlation {correlation}, 95 %: {interval}, {months} months).",
        "agreement": "{survey}: the model reads {same} % of the comments as their authors rated "
        "themselves (95 %: {interval} %, n {n}); {opposite} it reads the other way round.",
        "alerts": "Alerts",
        "alert": "{about}, since {since}: {reason}",
        "method": "Sentiment: 100 × (share positive − share negative), from −100 to +100 like NPS. "
        "In brackets 95 % intervals; n: answers. Figures with fewer than {votes} voices, or fewer "
        "respondents than configured, are not shown.",
    },
}
