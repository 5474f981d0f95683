"""Every sentence that lint says: code → (English, German).

The code is the rule, and behind a space what tells the sentences of one rule apart.
"""

from __future__ import annotations

SENTENCES: dict[str, tuple[str, str]] = {
    # by the patterns
    "finds-nothing": (
        "“{alias}” finds nothing, not even itself: take it out or write it anew.",
        "„{alias}“ findet nichts, nicht einmal sich selbst: Streichen Sie das Muster, oder schreiben Sie es anders.",
    ),
    "two-services": (
        "“{alias}” belongs to “{other}” as well{there}: a post with it counts for both services. Leave it with one of them, or add a word that tells them apart.",
        "„{alias}“ gehört auch zu „{other}“{there}: Ein Beitrag damit zählt für beide Leistungen. Lassen Sie es nur bei einer von ihnen stehen, oder ergänzen Sie ein Wort, das sie unterscheidet.",
    ),
    "two-companies": (
        "“{alias}” belongs to “{other}” as well{there}: a post with it counts for both companies. Leave it with one of them, or add a word that tells them apart.",
        "„{alias}“ gehört auch zu „{other}“{there}: Ein Beitrag damit zählt für beide Unternehmen. Lassen Sie es nur bei einem von ihnen stehen, oder ergänzen Sie ein Wort, das sie unterscheidet.",
    ),
    "service-is-company": (
        '“{alias}” is a name of company "{company}" (“{other}”), so it is never taken for the service. Give the company a fuller name, or the service another alias.',
        "„{alias}“ ist ein Name des Unternehmens „{company}“ („{other}“) und gilt deshalb nie als Leistung. Geben Sie dem Unternehmen einen längeren Namen oder der Leistung einen anderen Alias.",
    ),
    "name-in-name ours": (
        "“{other}” (of competitor “{company}”) is part of “{alias}”: posts that shorten the name count as the competitor’s. Guard “{other}” with any_of or none_of, or write it out.",
        "„{other}“ (vom Wettbewerber „{company}“) ist ein Teil von „{alias}“: Beiträge, die den Namen verkürzen, zählen für den Wettbewerber. Sichern Sie „{other}“ mit any_of oder none_of ab, oder schreiben Sie den Namen aus.",
    ),
    "name-in-name theirs": (
        "“{other}” (of you) is part of “{alias}”: posts that shorten the name count as yours. Guard “{other}” with any_of or none_of, or write it out.",
        "„{other}“ (Ihr Name) ist ein Teil von „{alias}“: Beiträge, die den Namen verkürzen, zählen für Sie. Sichern Sie „{other}“ mit any_of oder none_of ab, oder schreiben Sie den Namen aus.",
    ),
    "short": (
        "“{alias}” has only {letters} and will mean other things, too. Write it out, or guard it with any_of or none_of.",
        "„{alias}“ hat nur {letters} und wird auch anderes bedeuten. Schreiben Sie es aus, oder sichern Sie es mit any_of oder none_of ab.",
    ),
    "short stem": (
        "“{alias}” finds every word with “{text}” in that place. Write it out, or guard it with any_of or none_of.",
        "„{alias}“ findet jedes Wort, in dem an dieser Stelle „{text}“ steht. Schreiben Sie es aus, oder sichern Sie es mit any_of oder none_of ab.",
    ),
    "superfluous": (
        "“{alias}” is superfluous: “{other}” finds all of it. It can go.",
        "„{alias}“ ist überflüssig: „{other}“ findet alle diese Stellen auch. Sie können den Alias streichen.",
    ),
    "none-of every": (
        "none_of “{veto}” stands in every alias, so nothing is ever found. Take it out or narrow it, with = or a longer word.",
        "none_of „{veto}“ steckt in jedem Alias, deshalb wird nie etwas gefunden. Streichen Sie die Regel, oder fassen Sie sie enger, mit = oder einem längeren Wort.",
    ),
    "none-of one": (
        "“{alias}” never counts, for none_of “{veto}” stands in it. Take one of them out.",
        "„{alias}“ zählt nie, denn none_of „{veto}“ steckt darin. Streichen Sie eines von beiden.",
    ),
    "rules": (
        "{key} asks for “{pattern}”, which none_of forbids: nothing is ever found. Take one of them out.",
        "{key} verlangt „{pattern}“, und none_of schließt es aus: So wird nie etwas gefunden. Streichen Sie eines von beiden.",
    ),
    # by the stored posts
    "never-named": (
        "named in none of {posts} posts about you. People may call it by other words: add these as aliases, or take the service out.",
        "Keiner von {posts} Beiträgen über Sie nennt diese Leistung. Vielleicht heißt sie dort anders: Ergänzen Sie diese Wörter als Aliasse, oder streichen Sie die Leistung.",
    ),
    "long-silent": (
        "not named since {day}, in {posts} posts about you {days}. Look whether its aliases are still what people say.",
        "Zuletzt am {day} genannt; keiner der {posts} Beiträge über Sie {days} nennt die Leistung. Prüfen Sie, ob ihre Aliasse noch zu dem passen, was man sagt.",
    ),
    "common-word": (
        "“{alias}” stands in {outside} of the posts about nobody you know, and in {inside} of those about you: an everyday word says little of a service. Use a longer one, or guard it with any_of.",
        "„{alias}“ steht in {outside} der Beiträge, in denen kein Unternehmen des Portfolios vorkommt, und in {inside} der Beiträge über Sie: Ein Alltagswort sagt wenig über eine Leistung. Nehmen Sie ein längeres, oder sichern Sie es mit any_of ab.",
    ),
    "doubtful-name": (
        "{posts} posts count only because “{alias}” stands in them, and {share} of these name no service: it may mean something else. Look at some, and guard it with any_of or none_of.",
        "{posts} Beiträge zählen nur, weil „{alias}“ darin steht, und {share} davon nennen keine Leistung: Vielleicht ist etwas anderes gemeint. Sehen Sie sich einige an, und sichern Sie den Namen mit any_of oder none_of ab.",
    ),
    "rules-take-all": (
        "its rules take away {lost} of the {held} posts that hold one of its aliases, {rule}{written} alone {times}. Narrow that rule.",
        "Die Regeln schließen {lost} der {held} Beiträge aus, in denen einer der Aliasse steht, {rule}{written} allein {times}. Fassen Sie diese Regel enger.",
    ),
}
PLURALS = {  # of one, of several
    "letters": (("1 letter", "{n} letters"), ("einen Buchstaben", "{n} Buchstaben")),
    "days": (
        ("of the last day", "of the last {n} days"),
        ("vom letzten Tag", "aus den letzten {n} Tagen"),
    ),
}
OPTIONAL = {  # left out where there is nothing to say
    "there": (" (there as “{value}”)", " (dort als „{value}“)"),
    "written": (" “{value}”", " „{value}“"),
}
