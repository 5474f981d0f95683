"""Why a source could not be read, in German.

Sources say it in English, and that is what the database keeps. Here stand the sentences that people
meet most, beside the German ones; a rarer one stays as it is.
"""

from __future__ import annotations

import re
from functools import cache

SENTENCES: dict[str, str] = {
    # the address and the network
    "{host} has no address: check the spelling, or this machine's name service": "{host} hat keine Adresse: Prüfen Sie die Schreibweise und den Namensdienst (DNS) dieses Rechners",
    "the address of {host} could not be looked up within {n} s": "Die Adresse von {host} ließ sich nicht innerhalb von {n} s ermitteln",
    "{host} is at {address}, which is not a public address; if that is meant, set allow_private_addresses = true for this source": "{host} hat die Adresse {address}, die nicht öffentlich ist; wenn das so sein soll, setzen Sie bei dieser Quelle allow_private_addresses = true",
    "{host} cannot be reached: check the address, and whether this machine reaches the network": "{host} ist nicht zu erreichen: Prüfen Sie die Adresse, und ob dieser Rechner ins Netz kommt",
    "{host} shows a certificate that cannot be trusted ({reason}): check the address; SSL_CERT_FILE names a certificate authority of your own": "{host} zeigt ein Zertifikat, dem nicht zu trauen ist ({reason}): Prüfen Sie die Adresse; eine eigene Zertifizierungsstelle nennt SSL_CERT_FILE",
    "{place} did not answer within {n} s": "{place} hat nicht innerhalb von {n} s geantwortet",
    "{place} took longer than {n} s": "{place} hat länger als {n} s gebraucht",
    "{place} broke off in the middle of its answer": "{place} brach mitten in der Antwort ab",
    "{place} redirects more than {n} times": "{place} leitet mehr als {n}-mal weiter",
    "{place} answers with more than {n} bytes": "{place} antwortet mit mehr als {n} Bytes",
    # what a server answers
    "{place} wants credentials (401): check those configured for this source": "{place} verlangt eine Anmeldung (401): Prüfen Sie die Zugangsdaten dieser Quelle",
    "{place} refuses us (403): check the credentials, or whether it allows automated readers": "{place} lehnt uns ab (403): Prüfen Sie die Zugangsdaten, und ob dort automatisches Lesen erlaubt ist",
    "{place} does not exist (404): check the address": "{place} gibt es nicht (404): Prüfen Sie die Adresse",
    "{place} is gone for good (410): remove the source or find its new address": "{place} ist endgültig verschwunden (410): Streichen Sie die Quelle, oder suchen Sie ihre neue Adresse",
    "{place} is withheld for legal reasons (451): remove the source": "{place} wird aus rechtlichen Gründen nicht gezeigt (451): Streichen Sie die Quelle",
    "{place} asks us to come back later ({status})": "{place} bittet, später wiederzukommen ({status})",
    "{host} asked to be left alone for another {span}": "{host} hat darum gebeten, noch {span} lang nicht gefragt zu werden",
    "{place} is out of order at the moment ({status})": "{place} ist zurzeit gestört ({status})",
    "{place} answered with status {status}, which is no help to us": "{place} hat mit dem Status {status} geantwortet, der hier nicht weiterhilft",
    # feeds
    "a web page (HTML) came back where a feed was expected": "Statt eines Feeds kam eine Webseite (HTML)",
    "an empty answer came back where a feed was expected": "Statt eines Feeds kam eine leere Antwort",
    "JSON came back where a feed was expected": "Statt eines Feeds kam JSON",
    "XML of another kind came back where a feed was expected": "Statt eines Feeds kam anderes XML",
    "something that is no XML came back where a feed was expected": "Statt eines Feeds kam etwas, das kein XML ist",
    "the feed cannot be read": "Der Feed ist nicht lesbar",
    "the feed breaks off after {n} complete entries": "Der Feed bricht nach {n} vollständigen Einträgen ab",
    "page {n} of the feed: {error} (max_pages = {pages} does without it)": "Seite {n} des Feeds: {error} (max_pages = {pages} kommt ohne sie aus)",
    "entry {n} ({id}) has no text": "Eintrag {n} ({id}) hat keinen Text",
    "entry {n} has the id of another ({id})": "Eintrag {n} hat die Kennung eines anderen ({id})",
    "{n} more entries with problems": "{n} weitere Einträge mit Problemen",
    # files
    "{path} is neither a folder nor a file: create it, or correct `path`": "{path} ist weder ein Ordner noch eine Datei: Legen Sie den Ordner an, oder berichtigen Sie path",
    "{path} cannot be read: {reason}": "{path} ist nicht lesbar: {reason}",
    "{path} cannot be read ({reason})": "{path} ist nicht lesbar ({reason})",
    "{file} line {n}: no text": "{file} Zeile {n}: kein Text",
    "{file} line {n}: stars without words, and no id or author to tell them from others": "{file} Zeile {n}: Sterne ohne Worte, und weder Kennung noch Name, um sie von anderen zu unterscheiden",
    '{file} line {n}: the date "{date}" cannot be read; date_format can say how it is written': "{file} Zeile {n}: Das Datum „{date}“ ist nicht lesbar; date_format kann sagen, wie es geschrieben ist",
    "{file} line {n}: the date {date} lies in the future": "{file} Zeile {n}: Das Datum {date} liegt in der Zukunft",
    '{file} line {n}: the rating "{stars}" is not between 1 and 5; the post was taken without it': "{file} Zeile {n}: Die Bewertung „{stars}“ liegt nicht zwischen 1 und 5; der Beitrag wurde ohne sie übernommen",
    "{file}: {n} more lines with problems": "{file}: {n} weitere Zeilen mit Problemen",
    "{file}: no column with texts; its columns are: {columns}; set columns.{key} to one of them": "{file}: Keine Spalte mit Texten; die Spalten heißen: {columns}; setzen Sie columns.{key} auf eine davon",
    '{file}: no column "{column}"; its columns are: {columns}; set columns.{key} to one of them': "{file}: Keine Spalte „{column}“; die Spalten heißen: {columns}; setzen Sie columns.{key} auf eine davon",
    "{file}: not an Excel file, or not yet written to its end": "{file}: keine Excel-Datei, oder noch nicht zu Ende geschrieben",
    "{file}: an old or foreign spreadsheet format; save it as .xlsx or CSV": "{file}: ein altes oder fremdes Tabellenformat; speichern Sie es als .xlsx oder CSV",
    # ourselves
    "the {kind} adapter failed unexpectedly; see the log": "Der Adapter „{kind}“ ist unerwartet gescheitert; Näheres steht im Log",
    # one of several parts; last, since it fits almost anything
    "{part}: {error}": "{part}: {error}",
}
REASONS = {  # of the operating system and of TLS
    "No such file or directory": "Datei oder Ordner fehlt",
    "Permission denied": "keine Berechtigung",
    "Is a directory": "ein Ordner",
    "self-signed certificate": "selbst signiert",
    "certificate has expired": "abgelaufen",
    "unable to get local issuer certificate": "Aussteller unbekannt",
}


def in_language(sentence: str, language: str) -> str:
    """What a source said, in "de" where there is German for it; else as it was said."""
    return (_german(sentence) or sentence) if language == "de" else sentence


def _german(sentence: str) -> str | None:
    if sentence in REASONS:
        return REASONS[sentence]
    for pattern, german in _patterns():
        if found := pattern.fullmatch(sentence):
            values = found.groupdict()
            if "reason" in values:
                values["reason"] = _german(values["reason"]) or values["reason"]
            if "error" in values:
                inner = _german(values["error"])
                if inner is None:
                    continue
                values["error"] = inner
            return german.format(**values)
    parts = sentence.split("; ")  # a source of several parts tells all their errors in one
    said = [known for part in parts if len(parts) > 1 and (known := _german(part))]
    return "; ".join(said) if len(said) == len(parts) else None


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Each sentence as a pattern that catches its values."""
    return [
        (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(english)), re.DOTALL), german)
        for english, german in SENTENCES.items()
    ]
