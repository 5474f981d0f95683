"""Results for people at a terminal: tables, progress bars, colours where there are any."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from sentiment.schema.intervals import MIN_VOTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sentiment.check import Checked
    from sentiment.collect import Collected
    from sentiment.config import Config
    from sentiment.forget import Forgotten
    from sentiment.pipeline import Processed
    from sentiment.pipeline import Progress as ProgressFunction
    from sentiment.portfolio.findings import Finding
    from sentiment.portfolio.trial import Trial
    from sentiment.surveys.staging import Imported

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

COLOURS = {"negative": "red", "neutral": "default", "positive": "green"}
QUOTE = 200  # characters of a post in an example


def announce(config: Config, config_path: Path, *, pages: bool) -> None:
    """Where to look while the worker runs."""
    out.print(f"[bold]{escape(config.company.name)}[/]: the worker runs; Ctrl-C ends it.")
    if pages:
        out.print(f"  browser   {config.web.address}", soft_wrap=True)
    out.print(f"  database  {config.database_path}", soft_wrap=True)
    out.print(f"  status    sentiment status --config {config_path}", soft_wrap=True)
    out.print(
        f"  SQL       sqlite3 {config.database_path} "
        '"SELECT service, polarity, snippet FROM scored_mentions ORDER BY posted_at DESC LIMIT 9"',
        soft_wrap=True,
    )


@contextmanager
def progress_bar() -> Iterator[ProgressFunction]:
    """A bar for each stage, on standard error; nothing where that is no terminal."""
    columns = (
        TextColumn("{task.description:<8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(stage: str, done: int, whole: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage)
            bars.update(tasks[stage], completed=done, total=whole)

        yield progress


@contextmanager
def reading() -> Iterator[Callable[[Collected, str], None]]:
    """A line that says how far a reading is, on standard error; none where that is no terminal."""
    with ExitStack() as stack:
        line = stack.enter_context(err.status("reading")) if err.is_terminal else None

        def progress(so_far: Collected, oldest: str) -> None:
            back = f", back to {oldest}" if oldest else ""
            if line:
                line.update(f"{escape(so_far.source)}: {so_far.new:,} new posts{back}")

        yield progress


def show_checks(results: list[Checked]) -> None:
    """One line each."""
    for result in results:
        mark = "[green]ok[/]    " if result.passed else "[red]failed[/]"
        out.print(f"{mark} {escape(result.what)}: {escape(result.said)}", soft_wrap=True)


def show_collected(results: list[Collected]) -> None:
    """What came in from each source, and what was left out."""
    for result in results:
        if result.left_alone_until:
            out.print(
                f"{escape(result.source)}: [yellow]left alone until "
                f"{_clock(result.left_alone_until)}[/] (`sentiment collect NAME` asks at once), "
                f"for it failed: {escape(result.error)}",
                soft_wrap=True,
            )
            continue
        line = f"{escape(result.source)}: {result.new:,} new, {result.changed:,} changed"
        if result.error:
            line += f" [red]failed:[/] {escape(result.error)}"
        out.print(line, soft_wrap=True)
        for gap in result.gaps:
            out.print(f"  [red]gap:[/] {escape(gap)}", soft_wrap=True)
        for problem in result.problems[:10]:
            out.print(f"  [yellow]left out:[/] {escape(problem)}", soft_wrap=True)
        if len(result.problems) > 10:
            out.print(f"  … and {len(result.problems) - 10} more")


def show_surveys(results: list[Imported]) -> None:
    """One line for each file of the watched folder that was read."""
    for result in results:
        line = f"{escape(result.survey)}: {escape(result.file)}: {result.new:,} new answers"
        if result.error:
            line += f" [red]refused:[/] {escape(result.error)}"
        out.print(line, soft_wrap=True)


def show_survey(result: Imported) -> None:
    """What was recognised in a survey's file, what counts, and what is no answer."""
    said = "would be" if result.dry_run else "are"
    out.print(f"[bold]{escape(result.survey)}[/]: {escape(result.file)}", soft_wrap=True)
    for meaning, column in result.columns.items():
        out.print(f"  {escape(meaning)} ← column {escape(column)}", soft_wrap=True)
    out.print(
        f"{result.rows:,} rows from {result.first_day} to {result.last_day}: "
        f"{result.answers:,} answers, {result.comments:,} comments"
    )
    out.print(
        f"{result.new:,} answers {said} new, {result.changed:,} changed, {result.removed:,} taken "
        "back"
    )
    if result.unfinished:
        out.print(f"{result.unfinished:,} rows were never handed in: not counted")
    if result.forgotten:
        out.print(f"{result.forgotten:,} rows of people who asked to be forgotten: not read")
    if result.twice:
        out.print(f"{result.twice:,} answers stand there twice: the later row counts")
    for column, values in result.no_answers.items():
        shown = ", ".join(f"{value} × {n:,}" for value, n in values.items())
        out.print(f"  no answers in {escape(column)}: {escape(shown)}", soft_wrap=True)
    for warning in result.warnings:
        out.print(f"  [yellow]check:[/] {escape(warning)}", soft_wrap=True)
    for line in result.off[:10]:
        out.print(f"  [yellow]not counted:[/] {escape(line)}", soft_wrap=True)
    if len(result.off) > 10:
        out.print("  … and more: --list FILE writes them all")


def show_processed(done: Processed) -> None:
    """What the stages did."""
    out.print(
        f"{done.matched:,} posts matched, {done.scored:,} mentions scored, "
        f"{done.rolled_up:,} days rolled up, {done.transitions:,} alerts changed"
    )


def show_judgements(judgements: list[dict[str, Any]]) -> None:
    """What the worker reads out of a text."""
    table = Table("service", "polarity", "valence", "emotion", "because of", box=None)
    for said in judgements:
        colour = COLOURS[said["polarity"]]
        table.add_row(
            escape(said["service"] or f"({said['company']})"),
            f"[{colour}]{said['polarity']}[/]",
            f"{said['valence']:+.2f}",
            said["emotion"] or "–",
            escape(said["snippet"]),
        )
    out.print(table)


def show_status(found: dict[str, Any]) -> None:
    """Services, sources, and what is still waiting."""
    out.print(f"[bold]{escape(found['company'])}[/]  {found['database']}", soft_wrap=True)
    _show_services(found)
    _show_sources(found["sources"])
    _show_surveys(found["surveys"])
    waiting = found["waiting"]
    out.print(
        f"\nwaiting: {waiting['posts_to_match']:,} posts to match, "
        f"{waiting['mentions_to_score']:,} mentions to score, "
        f"{waiting['days_to_roll_up']:,} days to roll up; model {found['model'] or 'none yet'}",
        soft_wrap=True,
    )
    again = found["rescoring"]
    if again:
        minutes = again["minutes"]
        estimate = "" if minutes is None else f"; about {max(1, round(minutes)):,} min of computing"
        out.print(
            f"new model: {again['done']:,} mentions scored, {again['left']:,} still have their old "
            f"scores, newest first{estimate}",
            soft_wrap=True,
        )


def _show_services(found: dict[str, Any]) -> None:
    table = Table(
        "service",
        "mentions",
        "authors",
        "net sentiment",
        "95 % interval",
        "before",
        box=None,
        title=f"\nlast {found['days']} days",
        title_justify="left",
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for row in found["services"]:
        table.add_row(
            escape(row["service"]),
            f"{row['mentions']:,}",
            f"{row['authors']:,}",
            *_net(row),
            "–" if row["before"] is None else f"{row['before']:+.0f}",
        )
    out.print(table)


def _net(row: dict[str, Any]) -> tuple[str, str]:
    if row["authors"] < MIN_VOTES:
        return "too few", "–"
    low, high = row["net_sentiment_low"], row["net_sentiment_high"]
    colour = "green" if low > 0 else "red" if high < 0 else "default"
    return f"[{colour}]{row['net_sentiment']:+.0f}[/]", f"{low:+.0f} … {high:+.0f}"


def _show_sources(sources: list[dict[str, Any]]) -> None:
    table = Table(
        "source",
        "health",
        "posts",
        "last day",
        "usually",
        "last read",
        "next",
        box=None,
        title="\nsources",
        title_justify="left",
    )
    for row in sources:
        colour = {"ok": "green", "not read yet": "default"}.get(row["health"], "red")
        table.add_row(
            escape(row["source"]),
            f"[{colour}]{row['health']}[/]",
            f"{row['posts']:,}",
            f"{row['posts_last_day']:,}",
            f"{row['usual_posts_a_day']:.1f}",
            _clock(row["last_success_at"]),
            _clock(row["next_attempt_at"]),
        )
    out.print(table)
    for row in sources:
        if row["last_error"]:
            said = f"{escape(row['source'])}: [red]{escape(row['last_error'])}[/]"
            out.print(said, soft_wrap=True)
        if row["problems"]:
            more = f" (and {row['problems'] - 1} more)" if row["problems"] > 1 else ""
            said = f"left out: {row['last_problem']}{more}"
            out.print(f"{escape(row['source'])}: {escape(said)}", soft_wrap=True)
        if row["gaps"]:
            more = f" ({row['gaps']} gaps in 30 days)" if row["gaps"] > 1 else ""
            said = f"gap, found {_clock(row['last_gap_at'])}: {row['last_gap']}{more}"
            out.print(f"{escape(row['source'])}: [red]{escape(said)}[/]", soft_wrap=True)
        if row["recheck_error"]:
            said = f"stored posts could not be looked at again: {row['recheck_error']}"
            out.print(f"{escape(row['source'])}: [red]{escape(said)}[/]", soft_wrap=True)
        if row["quota"]:
            out.print(f"{escape(row['source'])}: {escape(row['quota'])}", soft_wrap=True)


def _show_surveys(surveys: list[dict[str, Any]]) -> None:
    if surveys:
        out.print("\n[italic]surveys[/]")
    for row in surveys:
        line = f" {escape(row['survey'])}: {row.get('answers', 0):,} answers"
        if row.get("last_day"):
            line += f", last {row['last_day']}"
        if row.get("comments", 0) >= MIN_VOTES:
            line += (
                f"; of {row['comments']:,} comments the classifier reads "
                f"{row['agreement']:.0f} % ({row['agreement_low']:.0f} … "
                f"{row['agreement_high']:.0f}) as their authors rated, "
                f"{row.get('opposite', 0):,} the opposite way"
            )
        if row.get("error"):
            line += f" [red]{escape(row['error'])}[/]"
        out.print(line, soft_wrap=True)


def _clock(moment: str | None) -> str:
    """A stored time as the clock on this machine's wall shows it; the date if not today's."""
    if moment is None:
        return "–"
    local = datetime.fromisoformat(moment).astimezone()
    today = local.date() == datetime.now().astimezone().date()
    return local.strftime("%H:%M:%S" if today else "%d.%m. %H:%M")


def show_rows(found: list[dict[str, Any]]) -> None:
    """Any rows as a table, empty columns left out."""
    columns = [key for key in found[0] if any(row[key] not in (None, "") for row in found)]
    table = Table(*[column.replace("_", " ") for column in columns], box=None)
    for row in found:
        table.add_row(*[_cell(row[column]) for column in columns])
    out.print(table)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.2f}"
    return escape(str(value))


def show_forgotten(done: Forgotten) -> None:
    """How much was erased, or would be; never whose it was."""
    if not done:
        out.print("nothing of that is stored (an erased post has no address any more: use its id)")
        return
    verb = "would be erased" if done.dry_run else "erased"
    for source, posts in done.posts.items():
        out.print(f"{escape(source)}: {posts:,} posts {verb}", soft_wrap=True)
    if done.copies:
        out.print(f"  {done.copies:,} of them are copies by others (--no-copies leaves them)")
    if done.answers:
        what = "lose their person" if done.scores == "kept" else "go"
        out.print(f"{done.answers:,} survey answers {what}")
    said = (
        "stay in the figures, without a name" if done.scores == "kept" else "go out of the figures"
    )
    out.print(f"scores of {done.mentions:,} mentions {said}")
    if done.named_in:
        out.print(
            f"{len(done.named_in)} posts of others hold the name in their text; look at them:"
        )
        for row in done.named_in[:10]:
            out.print(
                f"  {escape(row['source'])} {escape(row['external_id'])} {row['url'] or ''}",
                soft_wrap=True,
            )
    if done.wiped is False:
        out.print(
            "[yellow]another program kept the database busy: the worker will wipe the erased bytes "
            "from the file[/]"
        )
    if not done.dry_run:
        out.print("Not reached: backups, files of a watched folder, exports and reports.")


def show_findings(found: list[Finding]) -> None:
    """One paragraph each, the worst first."""
    colours = {"error": "red", "warning": "yellow", "hint": "default"}
    for finding in found:
        mark = f"[{colours[finding.level]}]{finding.level}[/]"
        out.print(
            f"{mark} {escape(finding.about('en'))}: {escape(finding.said('en'))}", soft_wrap=True
        )
    if not found:
        out.print("nothing to find fault with")


def show_trial(tried: Trial) -> None:
    """A table of what would change, and some of the posts that would come and go."""
    table = Table("service", "", "before", "after", "gained", "lost", "reworded", box=None)
    for column in table.columns[2:]:
        column.justify = "right"
    own = tried.changes[0].company
    for row in tried.changes:
        if row.company != own and not (row.gained or row.lost or row.reworded):
            continue  # of others, only what changes
        numbers = (row.before, row.after, row.gained, row.lost, row.reworded)
        service = row.service or "(as a whole)"
        other = "" if row.company == own else f"of {row.company}"
        table.add_row(escape(service), escape(other), *[f"{number:,}" for number in numbers])
    out.print(table)
    for row in tried.changes:
        for sign, snippets in (("+", row.gained_examples), ("-", row.lost_examples)):
            for snippet in snippets:
                said = " ".join(snippet.split())[:QUOTE]
                who = f"{row.company}, {row.service or 'as a whole'}"
                out.print(f"{sign} {escape(who)}: {escape(said)}", soft_wrap=True)
    out.print(f"{tried.posts:,} posts read; nothing was stored")
    if tried.unread:
        out.print(f"{tried.unread:,} posts left out: the present portfolio has not read them yet")


def show_evaluation(found: dict[str, Any]) -> None:
    """The figures of one model or of two beside each other, in per cent."""
    models = [found, *([found["against"]] if found["against"] else [])]
    out.print(f"{found['n']:,} labelled readings", soft_wrap=True)
    table = Table("figure", *[escape(model["model"]) for model in models], box=None)
    for name, values in _evaluated(models):
        table.add_row(name, *values)
    out.print(table)
    if found["n"]:
        _show_confusion(found)
    if found["paired"]:
        paired = found["paired"]
        out.print(
            f"\nmacro-F1 of the first is {100 * paired['difference']:+.1f} points from the second "
            f"({100 * paired['difference_low']:+.1f} to {100 * paired['difference_high']:+.1f}); "
            f"only the first is right {paired['only_first']:,} times, only the second "
            f"{paired['only_second']:,} times (McNemar's exact p = {paired['p_value']:.3g})",
            soft_wrap=True,
        )


def _evaluated(models: list[dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """A line for each figure: its name, and each model's value."""

    def figures(parts: list[dict[str, Any]], key: str) -> list[str]:
        return [
            f"{100 * p[key]:.1f}  ({100 * p[f'{key}_low']:.1f} to {100 * p[f'{key}_high']:.1f})"
            for p in parts
        ]

    def classes(parts: list[dict[str, Any]]) -> list[str]:
        return [
            f"precision {100 * p['precision']:.1f}, recall {100 * p['recall']:.1f}, n {p['n']:,}"
            for p in parts
        ]

    if models[0]["n"]:
        yield "macro-F1", figures(models, "macro_f1")
        yield "micro-F1", figures(models, "micro_f1")
        yield "calibration error", figures(models, "calibration_error")
        for name in COLOURS:
            yield name, classes([model["per_class"][name] for model in models])
        for name in COLOURS:
            shares = [model["shares"][name] for model in models]
            yield (
                f"share of {name}",
                [
                    f"true {100 * s['true']:.1f}, counted {100 * s['counted']:.1f}, "
                    f"adjusted {100 * s['adjusted']:.1f}"
                    for s in shares
                ],
            )
    for language, part in models[0]["languages"].items():
        parts = [model["languages"][language] for model in models]
        yield f"macro-F1, {escape(language)} (n {part['n']:,})", figures(parts, "macro_f1")
    if models[0]["emotions"]:
        emotions = [model["emotions"] for model in models]
        yield f"macro-F1, emotions (n {emotions[0]['n']:,})", figures(emotions, "macro_f1")
        for name in emotions[0]["per_emotion"]:
            yield name, classes([part["per_emotion"][name] for part in emotions])


def _show_confusion(found: dict[str, Any]) -> None:
    table = Table("people said", *[f"model: {name}" for name in COLOURS], box=None)
    for truth, row in found["confusion"].items():
        table.add_row(truth, *[f"{row[choice]:,}" for choice in COLOURS])
    out.print(f"\n{escape(found['model'])}")
    out.print(table)
