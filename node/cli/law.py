"""`comity law`: what the node knows of law, for lawyers; and whether their own files fit.

Nothing is decided here. What no lawyer has confirmed stands with the mark `unreviewed`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from node.cli.access import ask, settings_of
from node.cli.call import Call, command, failed
from node.cli.output import harmless, plural
from node.exits import Exit
from protocol.encoding import Fields, Json

_MANY: Final = 100_000
_MARK: Final = "unreviewed"
_NEED: Final = {"mandatory": "must", "conditional": "if", "optional": "may"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    law = typer.Typer(
        no_args_is_help=True, help="Look up kinds of request, legal bases, offences and terms."
    )
    command(law, "kinds")(kinds)
    command(law, "kind")(kind)
    command(law, "bases")(bases)
    command(law, "basis")(basis)
    command(law, "offences")(offences)
    command(law, "term")(term)
    command(law, "codes")(codes)
    command(law, "check")(check)
    app.add_typer(law, name="law")


def kinds(call: Call) -> None:
    """List the kinds of request."""
    found = ask(call, "law.kinds", {})
    if call.out.result(found):
        return
    rows = [Fields(one, "kind") for one in Fields(found, "answer").items("kinds", count_max=_MANY)]
    call.out.table(
        ("CODE", "KIND", "FORM", "SECOND PERSON", "ARTICLES", ""),
        [
            (row.text("code"), row.text("title"), "formal" if row.take("formal") else "",
             row.text("second_person"), _joined(row.take("articles"), "; "), _mark(row))
            for row in rows
        ],
    )  # fmt: skip


def kind(
    call: Call,
    *,
    code: Annotated[str, typer.Argument(metavar="CODE", help="As MLA_EVIDENCE.")],
    example: Annotated[
        bool, typer.Option("--example", help="A filled-in request instead, to begin one with.")
    ] = False,
) -> None:
    """Show one kind of request: its form, field by field, with the rule behind each."""
    found = ask(call, "law.kind", {"kind": code.upper()})
    if example:
        return _say_example(call, found)
    if call.out.result(found):
        return None
    shown = Fields(found, "answer")
    call.out.heading(f"{shown.text('code')}  {shown.text('title')}{_tail(shown)}")
    call.out.line(f"  articles       {_joined(shown.take('articles'), '; ')}")
    call.out.line(f"  second person  {shown.text('second_person')}")
    call.out.line(f"  bases          {_joined(shown.take('bases'))}")
    _say_note(call, shown.take("note"))
    for one in shown.items("sections", count_max=_MANY):
        section = Fields(one, "section")
        call.out.line()
        call.out.heading(section.text("title"))
        for field in section.items("fields", count_max=_MANY):
            _say_field(call, Fields(field, "field"))
    released = shown.items("release", count_max=_MANY)
    if released:
        call.out.line()
        call.out.heading("Released once the restrictions are accepted")
    for field in released:
        _say_field(call, Fields(field, "field"))
    call.out.line()
    call.out.line("No ground of refusal, whatever else is:")
    for one in shown.items("forbidden", count_max=_MANY):
        _say_code(call, Fields(one, "code"))
    if found.get("example") is not None:
        call.out.line()
        call.out.line(
            f"Filled in, as a file to begin with:  "
            f"{call.typed('law', 'kind', str(found['code']), '--example')} > request.json"
        )
    return None


def _say_example(call: Call, found: dict[str, Json]) -> None:
    """Give the body of a fictional request as `--body` takes it, for a person and a program."""
    body = found.get("example")
    if body is None:
        raise failed(
            "example",
            "The node has no example of a kind of your own: take that of the kind it is most "
            f"like, and see `{call.typed('law', 'kind', str(found['code']))}`.",
        )
    call.out.line(json.dumps(body, ensure_ascii=False, indent=2))


def _say_field(call: Call, field: Fields) -> None:
    need = _NEED.get(field.text("need"), "")
    label, name, rule = field.text("label"), field.text("name"), field.text("rule")
    by_node = "; the node fills it in" if field.text("filled_by") == "node" else ""
    of_type = f"{harmless(name)}; {field.text('type')}{by_node}"
    call.out.line(f"  {need:4}  {harmless(label)}  ({of_type})")
    call.out.line(f"        {harmless(rule)}: {harmless(field.text('why'))}{_tail(field)}")
    when = field.take("when")
    if when is not None:
        call.out.line(f"        when {harmless(_condition(Fields(when, 'when')))}")


def _condition(when: Fields) -> str:
    """Give a condition as a person says it."""
    name = when.text("field")
    if when.has("present"):
        return f"{name} is filled in"
    if when.has("absent"):
        return f"{name} is not filled in"
    if when.has("one_of"):
        return f"{name} is one of {_joined(when.take('one_of'))}"
    asked = when.take("is")
    word = {True: "yes", False: "no"}.get(asked) if isinstance(asked, bool) else asked
    return f"{name} is {word}"


def bases(call: Call) -> None:
    """List the legal bases that have a profile, and those that have none yet."""
    found = ask(call, "law.bases", {})
    if call.out.result(found):
        return
    shown = Fields(found, "answer")
    rows = [Fields(one, "basis") for one in shown.items("bases", count_max=_MANY)]
    call.out.table(
        ("CODE", "LEGAL BASIS", "SENT BY THE NODE IT IS", "", ""),
        [
            (row.text("code"), row.text("title"), row.text("effect"),
             "inquiries only" if row.take("inquiry_only") else "", _mark(row))
            for row in rows
        ],
    )  # fmt: skip
    bare = [Fields(one, "code").text("code") for one in
            shown.items("without_profile", count_max=_MANY)]  # fmt: skip
    call.out.line()
    call.out.line(f"Without a profile: {harmless(', '.join(bare))}")


def basis(
    call: Call,
    *,
    code: Annotated[str, typer.Argument(metavar="CODE", help="As UNCAC.")],
) -> None:
    """Show one legal basis: its kinds, languages, channels, limits and grounds."""
    found = ask(call, "law.basis", {"basis": code})
    if call.out.result(found):
        return
    shown = Fields(found, "answer")
    call.out.heading(f"{shown.text('code')}  {shown.text('title')}{_tail(shown)}")
    call.out.line(f"  effect     {shown.text('effect')}  {harmless(shown.text('effect_source'))}")
    tongues = _joined(shown.take("languages"))
    call.out.line(f"  languages  {tongues}  {harmless(shown.text('language_source'))}")
    channels = [Fields(one, "code") for one in shown.items("channels", count_max=_MANY)]
    call.out.line(f"  channels   {harmless(', '.join(one.text('label') for one in channels))}")
    if dual := shown.text("dual_criminality"):
        call.out.line(f"  dual criminality  {harmless(dual)}")
    notes = shown.take("notes")
    for note in notes if isinstance(notes, list) else ():
        _say_note(call, note)
    _say_list(call, "Kinds of request", shown.items("kinds", count_max=_MANY), "article")
    _say_limits(call, shown)
    for title, name in _GROUNDS:
        _say_list(call, title, shown.items(name, count_max=_MANY), "source")


_GROUNDS: Final = (
    ("Grounds of refusal", "refusal"),
    ("Grounds of refusal of extradition", "refusal_extradition"),
    ("Grounds of postponement", "postponement"),
)


def _say_limits(call: Call, shown: Fields) -> None:
    call.out.line()
    call.out.heading("Time limits")
    rows = [Fields(one, "limit") for one in shown.items("limits", count_max=_MANY)]
    call.out.table(
        ("CLOCK", "LIMIT", "SOURCE", "", ""),
        [
            (row.text("clock").replace("_", " "), _how_long(row),
             "product default" if row.take("product_default") else row.text("source"),
             row.text("note"), _mark(row))
            for row in rows
        ],
    )  # fmt: skip


def _how_long(limit: Fields) -> str:
    count, unit = limit.integer("count"), limit.text("unit").replace("_", " ")
    later = limit.items("also", count_max=_MANY)
    said = ", ".join(str(one) for one in (count, *later))
    more = limit.take("extendable_by")
    tail = "" if more is None else f" (and {more} more)"
    return f"{said} {unit.removesuffix('s') if said == '1' else unit}{tail}"


def _say_list(call: Call, title: str, rows: list[Json], cited: str) -> None:
    if not rows:
        return
    call.out.line()
    call.out.heading(title)
    shown = [Fields(row, "row") for row in rows]
    call.out.table(
        ("CODE", "", "", ""),
        [
            (
                row.text("code"),
                row.take("label" if row.has("label") else "title"),
                row.take(cited),
                _mark(row),
            )
            for row in shown
        ],
    )


def offences(call: Call) -> None:
    """List offences by their article, with the elements of the conduct."""
    found = ask(call, "law.offences", {})
    if call.out.result(found):
        return
    for one in Fields(found, "answer").items("offences", count_max=_MANY):
        offence = Fields(one, "offence")
        where = f"{offence.text('instrument')} {offence.text('article')}".strip()
        call.out.heading(f"{offence.text('code')}  {offence.text('title')}{_tail(offence)}")
        call.out.line(f"  {harmless(where)}; {offence.text('duty').replace('-', ' ')}")
        elements = offence.take("elements")
        for number, element in enumerate(elements if isinstance(elements, list) else (), 1):
            call.out.line(f"  {number}. {harmless(element)}")
        _say_note(call, offence.take("note"))


def term(
    call: Call,
    *,
    word: Annotated[
        str, typer.Argument(metavar="WORD", help="In any language, or a part of it.")
    ] = "",
) -> Exit | None:
    """Look a term up in all languages; accents and capitals do not matter."""
    found = ask(call, "law.terms", {"word": word})
    if call.out.result(found):
        return None
    terms = Fields(found, "answer").items("terms", count_max=_MANY)
    if not terms:
        call.out.line("No term has that word. Without a word, `comity law term` shows all.")
        return Exit.FAILED
    for one in terms:
        shown = Fields(one, "term")
        call.out.heading(f"{shown.text('id').replace('_', ' ')}  {shown.text('ref')}")
        for tag, named in shown.object("labels").items():
            label = Fields(named, "label")
            others = _joined(label.take("alternatives"))
            also = f"  (also: {others})" if others else ""
            call.out.line(f"  {tag}  {harmless(label.text('text'))}{also}{_tail(label)}")
        _say_note(call, shown.take("note"))
    return None


def codes(
    call: Call,
    *,
    vocabulary: Annotated[
        str, typer.Argument(metavar="VOCABULARY", help="As outcome; without it, their names.")
    ] = "",
) -> None:
    """Show what the codes of a vocabulary mean."""
    found = ask(call, "law.codes", {"vocabulary": vocabulary} if vocabulary else {})
    if call.out.result(found):
        return
    shown = Fields(found, "answer")
    if not vocabulary:
        call.out.line(_joined(shown.take("vocabularies")))
        return
    for one in shown.items("codes", count_max=_MANY):
        _say_code(call, Fields(one, "code"))


def check(
    call: Call,
    *,
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="FOLDER", help="A folder of law; without it, the node's own."),
    ] = None,
) -> Exit:
    """Check the files of an authority's own law, and say what is wrong with them."""
    found = _checked(call, folder)
    shown = Fields(found, "answer")
    good = shown.take("good") is True
    ended = Exit.DONE if good else Exit.CONFIGURATION
    if call.out.result(found):
        return ended
    problems = shown.take("problems")
    for problem in problems if isinstance(problems, list) else ():
        call.out.line(harmless(problem))
    if not good:
        call.out.verdict("The law does not fit together; the node starts once it does.", good=False)
        return ended
    counts = Fields(shown.take("counts"), "counts")
    call.out.verdict("The law fits together.", good=True)
    said = [plural(counts.integer(name), one) for name, one in
            (("kinds", "kind"), ("offences", "offence"), ("terms", "term"))]  # fmt: skip
    call.out.line(f"  {', '.join(said)}, {counts.integer('bases')} legal bases")
    call.out.line(f"  {counts.integer('unreviewed'):,} of all entries are unreviewed")
    return ended


def _checked(call: Call, folder: Path | None) -> dict[str, Json]:
    """Check a folder here: it may belong to no node yet, and one that is wrong stops the node."""
    if folder is None and call.socket() is not None:
        return ask(call, "law.check", {})
    from node.desk.law import checked

    return checked(folder or settings_of(call).law_folder)


def _say_code(call: Call, code: Fields) -> None:
    note = code.text("note")
    tail = f"  {note}" if note else ""
    call.out.line(harmless(f"  {code.text('code')}  {code.text('label')}{tail}{_tail(code)}"))


def _say_note(call: Call, note: Json) -> None:
    if isinstance(note, str) and note:
        call.out.line(f"  note  {harmless(note)}")


def _mark(row: Fields) -> str:
    return _MARK if row.has("unreviewed") and row.take("unreviewed") else ""


def _tail(row: Fields) -> str:
    return f"  [{_MARK}]" if row.take("unreviewed") else ""


def _joined(several: Json, between: str = ", ") -> str:
    return harmless(between.join(str(one) for one in several)) if isinstance(several, list) else ""
