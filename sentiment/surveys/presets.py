"""The habits of survey tools: where their exports keep id and date, and how they are built.

Written from what is public: the tools' sources and help pages where there are any, and headers that
programs of others read. No tool promises its format. What each preset rests on stands in
docs/surveys.md. Whatever it says, a key of the survey's own table overrides.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Preset:
    """What is assumed of a tool's export.

    id, date: headers, the first that a file has is taken. personal: columns with names and
    addresses, never stored. done: column -> what it says when somebody handed the answers in; other
    rows are left out. header_rows: rows of the header. skip: beginnings of cells in rows below the
    header that are no answers. formats: of dates, tried in order before the usual ones.
    """

    id: tuple[str, ...] = ()
    date: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    done: dict[str, frozenset[str]] = field(default_factory=dict)
    header_rows: int = 1
    skip: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()


YES = frozenset({"true", "1", "yes", "ja", "wahr", "✓"})
PEOPLE = ("Name", "E-Mail", "Email", "E-Mail-Adresse", "Email Address", "Vorname", "Nachname",
          "First Name", "Last Name", "Telefon", "Phone", "IP Address", "IP-Adresse")  # fmt: skip

PRESETS = {
    # Any table: give `date`, and `id` where there is one.
    "generic": Preset(
        id=("id", "response id", "antwort id", "respondent id", "teilnehmer id"),
        date=("date", "datum", "submitted at", "submit date", "timestamp", "zeitstempel",
              "abgeschickt am", "eingegangen am"),
        personal=PEOPLE,
    ),
    # CSV or XLSX, headed by question codes or texts. A row without a date of submission was not
    # handed in; surveys without date stamps write 1980-01-01 for all.
    "limesurvey": Preset(
        id=("id", "Response ID", "Antwort ID"),
        date=("submitdate", "Date submitted", "Datum Abgeschickt", "Abgabedatum"),
        personal=(*PEOPLE, "ipaddr", "token", "firstname", "lastname", "email", "Zugangscode",
                  "Access code"),
        done={"submitdate": frozenset(), "Date submitted": frozenset(),
              "Datum Abgeschickt": frozenset()},
    ),
    # "#" holds the response's token; dates are UTC. A row without a date was begun and not sent.
    "typeform": Preset(
        id=("#", "Response ID", "Token"),
        date=("Submit Date (UTC)", "Submitted At", "Submit Date"),
        personal=(*PEOPLE, "Network ID"),
        done={"Response Type": frozenset({"completed"}), "Submit Date (UTC)": frozenset()},
        formats=("%Y-%m-%d %H:%M:%S",),
    ),
    # No id. The CSV of the form writes 2025/01/31 2:03:22 PM GMT+1, its sheet 31.01.2025 14:03:22
    # or, in the US locale, 1/31/2025 14:03:22 (set date_format then).
    "google-forms": Preset(
        date=("Timestamp", "Zeitstempel"),
        personal=(*PEOPLE, "Username", "Nutzername", "Benutzername"),
    ),
    # XLSX with real dates; saved as CSV, they are written as the spreadsheet's language does.
    "microsoft-forms": Preset(
        id=("ID",),
        date=("Completion time", "Fertigstellungszeit", "Abschlusszeit"),
        personal=PEOPLE,
        formats=("%m/%d/%y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%y %H:%M", "%m/%d/%Y %H:%M"),
    ),
    # Two header rows: the question, and "Response", "Open-Ended Response" or the item of a matrix.
    "surveymonkey": Preset(
        id=("Respondent ID", "Teilnehmer-ID", "Befragten-ID"),
        date=("Date Modified", "End Date", "Date Created", "Änderungsdatum", "Enddatum"),
        personal=(*PEOPLE, "Custom Data 1"),
        header_rows=2,
        formats=("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S"),
    ),
    # Questions are headed "1. Question".
    "formbricks": Preset(
        id=("Response ID",),
        date=("Timestamp", "Submitted At"),
        personal=(*PEOPLE, "User ID", "userId", "Formbricks ID (internal)", "Formbricks User ID",
                  "Verified Email"),
        done={"Finished": YES},
    ),
    # Three header rows: id, text and import id of the question. Previews (1, 17), tests (2) and
    # what Qualtrics takes for spam (8, 9, 12, 40) are no answers.
    "qualtrics": Preset(
        id=("ResponseId", "ResponseID"),
        date=("RecordedDate", "EndDate"),
        personal=(*PEOPLE, "RecipientLastName", "RecipientFirstName", "RecipientEmail",
                  "IPAddress", "ExternalReference"),
        done={"Finished": YES,
              "Status": frozenset({"ip address", "0", "imported", "4", "offline", "16", "ex", "32",
                                   "ex offline", "48"})},
        header_rows=3,
        skip=('{"ImportId"',),
    ),
}  # fmt: skip
