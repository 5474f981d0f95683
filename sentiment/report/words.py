"""The report's words in German and English."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "de": {
        "title": "{company}: Stimmung und Befragung, {month}",
        "to": "bis",
        "net": "Stimmung",
        "nothing": "Zu diesem Monat gibt es keine Werte.",
        "basis": "Grundlage sind {mentions} öffentliche Erwähnungen und {answers} Antworten aus "
        "Befragungen.",
        "running": "Der Monat läuft noch: Alle Werte sind vom {day}.",
        "falls": "Stärker gefallen, als der Zufall erklärt: {services}.",
        "rises": "Stärker gestiegen, als der Zufall erklärt: {services}.",
        "others": "Bei den übrigen Leistungen ist keine Veränderung größer, als der Zufall "
        "erklärt.",
        "calm": "Nichts hat sich gegenüber dem Vormonat mehr verändert, als der Zufall erklärt.",
        "scorecard": "Leistungen im Überblick",
        "service": "Leistung",
        "figure": "Wert",
        "mentions": "Erwähnungen",
        "attention": "Aufmerksamkeit",
        "emotion": "stärkste Emotion",
        "top2": "zwei beste Antworten",
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
        "bei {n_before} und {n} {what}.",
        "rose": "{figure} stieg von {before} auf {value}: {change} (95 %: {interval}), "
        "bei {n_before} und {n} {what}.",
        "voices": "Stimmen",
        "answers": "Antworten",
        "chance": "Genannt ist nur, was mehr als Zufall ist. Verglichen wurden {compared} Werte; "
        "auch wenn sich nichts verändert hätte, "
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
        "leads": "{service}: Die öffentliche Stimmung geht {figure} um {shift} voraus "
        "(Korrelation {correlation}, 95 %: {interval}, {months} Paare von Monaten).",
        "lags": "{service}: {figure} geht der öffentlichen Stimmung um {shift} voraus "
        "(Korrelation {correlation}, 95 %: {interval}, {months} Paare von Monaten).",
        "at_once": "{service}: Öffentliche Stimmung und {figure} verändern sich im selben Monat "
        "(Korrelation {correlation}, 95 %: {interval}, {months} Paare von Monaten).",
        "month_one": "einen Monat",
        "month_more": "{n} Monate",
        "shifts_chance": "Je Leistung und Wert wurden sieben Verschiebungen verglichen; in etwa "
        "jeder dritten solchen Reihe fällt eine aus Zufall auf. Was vorausgeht, muss nicht die "
        "Ursache sein.",
        "agreement": "{survey}: Das Modell liest {same} % der Kommentare so, wie ihre Verfasser "
        "selbst bewertet haben (95 %: {interval} %, n {n}); {opposite} liest es umgekehrt.",
        "alerts": "Alarme",
        "alert": "{about}, seit {since}: {reason}.",
        "alert_over": "{about}, {since} bis {until}: {reason}.",
        "method": "Stimmung: 100 × (Anteil positiv − Anteil negativ), wie NPS von −100 bis +100. "
        "In Klammern 95-%-Bereiche; n: Antworten. Werte mit weniger als {votes} Stimmen, oder mit "
        "weniger Befragten als eingestellt, werden nicht gezeigt.",
    },
    "en": {
        "title": "{company}: sentiment and surveys, {month}",
        "to": "to",
        "net": "Sentiment",
        "nothing": "There are no figures for this month.",
        "basis": "Based on {mentions} public mentions and {answers} survey answers.",
        "running": "The month is not over: all figures are as of {day}.",
        "falls": "Down by more than chance: {services}.",
        "rises": "Up by more than chance: {services}.",
        "others": "For the other services no change is larger than chance explains.",
        "calm": "Nothing has changed against the month before by more than chance explains.",
        "scorecard": "Services at a glance",
        "service": "Service",
        "figure": "Figure",
        "mentions": "Mentions",
        "attention": "Attention",
        "emotion": "Strongest emotion",
        "top2": "Two best answers",
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
        "{n_before} and {n} {what}.",
        "rose": "{figure} rose from {before} to {value}: {change} (95 %: {interval}), with "
        "{n_before} and {n} {what}.",
        "voices": "voices",
        "answers": "answers",
        "chance": "Only what is more than chance is named. {compared} figures were compared; had "
        "nothing changed, about {expected} of them would have stood out by chance.",
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
        "leads": "{service}: public sentiment runs {shift} ahead of {figure} "
        "(correlation {correlation}, 95 %: {interval}, {months} pairs of months).",
        "lags": "{service}: {figure} runs {shift} ahead of public sentiment "
        "(correlation {correlation}, 95 %: {interval}, {months} pairs of months).",
        "at_once": "{service}: public sentiment and {figure} change in the same month "
        "(correlation {correlation}, 95 %: {interval}, {months} pairs of months).",
        "month_one": "one month",
        "month_more": "{n} months",
        "shifts_chance": "Seven shifts were compared for each service and figure; in about every "
        "third such row one stands out by chance. What comes first need not be the cause.",
        "agreement": "{survey}: the model reads {same} % of the comments as their authors rated "
        "themselves (95 %: {interval} %, n {n}); {opposite} it reads the other way round.",
        "alerts": "Alerts",
        "alert": "{about}, since {since}: {reason}.",
        "alert_over": "{about}, {since} to {until}: {reason}.",
        "method": "Sentiment: 100 × (share positive − share negative), from −100 to +100 like NPS. "
        "In brackets 95 % intervals; n: answers. Figures with fewer than {votes} voices, or fewer "
        "respondents than configured, are not shown.",
    },
}
