"""`comity draft`: write a request, have it checked and approved, and send it.

A change names the version that it is a change of, which is the one that was looked at last
(`--version`, else the newest). Nothing that was typed is lost when a version is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from node.cli.access import ask, settings_of
from node.cli.bodies import checked_request, read_body
from node.cli.call import Call, PassphraseOption, command, usage
from node.cli.case_text import say_body
from node.cli.files import manifest_json
from node.cli.kept import edited, kept_if_refused
from node.cli.output import harmless, plural, when
from node.cli.steps import BodyOption, EvidenceOption, Said, SetOption, said_in, say_queued
from protocol.encoding import Fields, Json
from protocol.identity import AUTHORITY_ID

_ROWS_MAX: Final = 100_000

DraftArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="DRAFT", help="Its id, or how it begins.")
]
VersionOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--version", metavar="N", show_default=False,
        help="The version that you looked at; else the newest.",
    ),
]  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the group."""
    draft = typer.Typer(no_args_is_help=True, help="Write a request, and have it approved.")
    for name, act in (
        ("new", new), ("check", check), ("show", show), ("edit", edit), ("submit", submit),
        ("return", give_back), ("approve", approve), ("send", send), ("cancel", cancel),
        ("list", list_drafts), ("print", print_letter),
    ):  # fmt: skip
        command(draft, name)(act)
    app.add_typer(draft, name="draft")


# --- writing ---------------------------------------------------------------------------------


def new(
    call: Call,
    *,
    to: Annotated[str, typer.Option(metavar="AUTHORITY", help="Whom to ask.")],
    kind: Annotated[str, typer.Option(metavar="KIND", help="What for: `comity law kinds`.")],
    body: BodyOption = None,
    given: SetOption = None,
    evidence: EvidenceOption = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Begin a request; nothing of it leaves the node before it is approved and sent."""
    if AUTHORITY_ID.fullmatch(to) is None:
        raise usage(f'"{harmless(to)}" is no authority\'s id: `comity network show` lists them.')
    if to == settings_of(call).authority:
        raise usage(f"{to} is this authority itself: --to names another.")
    said = said_in(body, given)
    checked_request(said.body, kind.upper())
    arguments: dict[str, Json] = {
        "to": to, "kind": kind, "body": said.body, "manifest": manifest_json(call, evidence),
    }  # fmt: skip
    with kept_if_refused(call, said.body, typed=said.typed):
        made = ask(call, "draft.create", arguments, passphrase_file=passphrase_file)
    if not call.out.result(made):
        draft = Fields(made, "answer").text("draft")
        call.out.verdict(f"Draft {draft[:8]} is begun.", good=True)
        call.out.line(f"What it lacks:  {call.typed('draft', 'check', draft[:8])}")


def edit(
    call: Call,
    *,
    draft: DraftArgument,
    version: VersionOption = None,
    body: BodyOption = None,
    given: SetOption = None,
    evidence: EvidenceOption = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Save a new version: whole with --body, single fields with --set, else in your editor."""
    found = Fields(ask(call, "draft.show", {"draft": draft}, passphrase_file=passphrase_file), "d")
    before, number = found.object("body"), found.integer("version")
    path: Path | None = None
    if body is None and not given and not evidence:
        path, _ = edited(before)
        said = Said(read_body(path), typed=False)
    else:
        said = said_in(body, given)
        said = said if body is not None else Said(_merged(before, said.body), said.typed)
    arguments: dict[str, Json] = {
        "draft": draft, "version": version or number, "body": said.body,
        "manifest": manifest_json(call, evidence),
    }  # fmt: skip
    try:
        with kept_if_refused(call, said.body, typed=said.typed):
            saved = ask(call, "draft.edit", arguments, passphrase_file=passphrase_file)
    except BaseException:
        if path is not None:
            call.out.warn(f"what you typed is in {path}: give it again with --body {path}")
        raise
    if path is not None:
        path.unlink()
    if not call.out.result(saved):
        saved_as = Fields(saved, "answer").integer("version")
        call.out.verdict(f"Saved as version {saved_as}.", good=True)


def _merged(before: dict[str, Json], changes: dict[str, Json]) -> dict[str, Json]:
    """Put changed fields over a body; an object is changed member by member."""
    whole = dict(before)
    for name, value in changes.items():
        held = whole.get(name)
        inner = isinstance(held, dict) and isinstance(value, dict)
        whole[name] = _merged(held, value) if inner else value  # type: ignore[arg-type]  # both objects
    return whole


# --- reading ---------------------------------------------------------------------------------


def check(call: Call, *, draft: DraftArgument, passphrase_file: PassphraseOption = None) -> None:
    """Say what is missing or doubtful in a draft, each with the rule it comes from."""
    found = ask(call, "draft.check", {"draft": draft}, passphrase_file=passphrase_file)
    if call.out.result(found):
        return
    fields = Fields(found, "answer")
    rows = [Fields(one, "finding") for one in fields.items("findings", count_max=_ROWS_MAX)]
    if fields.take("may_be_sent"):
        word = "Nothing is missing." if not rows else "Nothing blocks it."
        call.out.verdict(word, good=True)
    else:
        call.out.verdict(
            f"{plural(fields.integer('blocks'), 'thing')} must be put right:", good=False
        )
    if rows:
        call.out.table(
            ("", "field", "what", "rule"),
            [
                (one.text("severity"), one.text("field"), one.text("sentence"), _rule(one))
                for one in rows
            ],
        )


def _rule(one: Fields) -> str:
    mark = " (unreviewed)" if one.take("unreviewed") else ""
    return f"{one.text('rule')}{mark}"


def show(call: Call, *, draft: DraftArgument, passphrase_file: PassphraseOption = None) -> None:
    """Show a draft: who wrote it, how far it is, and what it says."""
    found = ask(call, "draft.show", {"draft": draft}, passphrase_file=passphrase_file)
    if call.out.result(found):
        return
    one = Fields(found, "draft")
    what = one.take("kind") if one.text("event") == "transmit" else one.text("event")
    call.out.heading(f"Draft {one.text('draft')}: {harmless(what)} to {one.text('to')}")
    writers = ", ".join(str(each) for each in one.items("writers", count_max=_ROWS_MAX))
    call.out.line(
        f"  {one.text('state')}, version {one.integer('version')}, by {harmless(writers)}"
    )
    for name, word in (("submitted_by", "submitted"), ("approved_by", "approved")):
        if (person := one.take(name)) is not None:
            call.out.line(f"  {word} by {harmless(person)}")
    for item in one.items("notes", count_max=_ROWS_MAX):
        note = Fields(item, "note")
        call.out.line(
            f"  {when(note.take('at'))} {harmless(note.take('by'))}, on version "
            f"{note.take('version')}: {harmless(note.take('text'))}"
        )
    call.out.line()
    say_body(call, one.object("body"))


def list_drafts(
    call: Call,
    *,
    state: Annotated[
        str | None, typer.Option(metavar="STATE", show_default=False, help="DRAFT, IN_APPROVAL, …")
    ] = None,
) -> None:
    """List the drafts that you may see, the one that changed last first."""
    arguments: dict[str, Json] = {} if state is None else {"state": state.upper()}
    found = ask(call, "draft.list", arguments)
    if call.out.result(found):
        return
    rows = [Fields(one, "d") for one in Fields(found, "a").items("drafts", count_max=_ROWS_MAX)]
    if not rows:
        call.out.line("No drafts. `comity draft new` begins one.")
        return
    call.out.table(
        ("draft", "to", "what", "state", "version", "changed"),
        [
            (one.text("draft")[:8], one.text("to"), one.take("kind") or one.text("event"),
             one.text("state"), one.integer("version"), when(one.take("changed")))
            for one in rows
        ],
    )  # fmt: skip


# --- being seen by another, and going out ----------------------------------------------------


def submit(
    call: Call, *, draft: DraftArgument, version: VersionOption = None,
    passphrase_file: PassphraseOption = None,
) -> None:  # fmt: skip
    """Give a draft to a second person to approve."""
    _move(call, "draft.submit", draft, version, passphrase_file=passphrase_file)


def give_back(
    call: Call, *, draft: DraftArgument,
    comment: Annotated[str, typer.Option(metavar="TEXT", help="What shall be better.")],
    version: VersionOption = None, passphrase_file: PassphraseOption = None,
) -> None:  # fmt: skip
    """Give a draft back to its writers."""
    more: dict[str, Json] = {"comment": comment}
    _move(call, "draft.return", draft, version, passphrase_file=passphrase_file, more=more)


def approve(
    call: Call, *, draft: DraftArgument, version: VersionOption = None,
    passphrase_file: PassphraseOption = None,
) -> None:  # fmt: skip
    """Approve a draft as its second person; an event of a case is posted by that."""
    _move(call, "draft.approve", draft, version, passphrase_file=passphrase_file)


def _move(
    call: Call, verb: str, draft: str, version: int | None, *,
    passphrase_file: Path | None, more: dict[str, Json] | None = None,
) -> None:  # fmt: skip
    if version is None:
        seen = ask(call, "draft.show", {"draft": draft}, passphrase_file=passphrase_file)
        version = Fields(seen, "draft").integer("version")
    arguments: dict[str, Json] = {"draft": draft, "version": version, **(more or {})}
    moved = ask(call, verb, arguments, passphrase_file=passphrase_file)
    if call.out.result(moved):
        return
    one = Fields(moved, "answer")
    state = one.text("state")
    call.out.verdict(f"Version {version} is {state} now.", good=True)
    posted = one.take("posted") if one.has("posted") else None
    if isinstance(posted, dict):
        say_queued(call, Fields(posted, "posted"))
    elif state == "APPROVED":
        call.out.line(f"Send it:  {call.typed('draft', 'send', draft)}")
    elif state == "IN_APPROVAL":
        call.out.line(
            f"Somebody who wrote none of it types:  {call.typed('draft', 'approve', draft)}"
        )


def send(call: Call, *, draft: DraftArgument, passphrase_file: PassphraseOption = None) -> None:
    """Send an approved request: seal it, open its case and queue it."""
    sent = ask(call, "draft.send", {"draft": draft}, passphrase_file=passphrase_file)
    if not call.out.result(sent):
        call.out.verdict("The request is queued.", good=True)
        say_queued(call, Fields(sent, "answer"))


def cancel(
    call: Call, *, draft: DraftArgument,
    reasons: Annotated[str, typer.Option(metavar="TEXT", help="Why.")],
    passphrase_file: PassphraseOption = None,
) -> None:  # fmt: skip
    """Give a draft up."""
    arguments: dict[str, Json] = {"draft": draft, "reasons": reasons}
    ended = ask(call, "draft.cancel", arguments, passphrase_file=passphrase_file)
    if not call.out.result(ended):
        call.out.verdict("The draft is cancelled.", good=True)


def print_letter(
    call: Call, *, draft: DraftArgument,
    language: Annotated[str, typer.Option(metavar="TAG", help="Of the labels.")] = "en",
    passphrase_file: PassphraseOption = None,
) -> None:  # fmt: skip
    """Print a draft as a letter, its labels in the reader's language."""
    arguments: dict[str, Json] = {"draft": draft, "language": language}
    say_letter(call, ask(call, "draft.print", arguments, passphrase_file=passphrase_file))


def say_letter(call: Call, found: dict[str, Json]) -> None:
    """Show a letter, line by line, so that nothing in it steers a terminal."""
    from node.cli.output import harmless_lines

    if not call.out.result(found):
        fields = Fields(found, "answer")
        call.out.line(harmless_lines(fields.text("text", chars_max=16 * 1024 * 1024)))
