"""What can be wrong with a step that somebody wants to make in a case; each says what to do.

No sentence quotes what was typed. Knows no verb and no command.
"""

from __future__ import annotations

from node.cases.completeness.report import Report


class CaseFault(Exception):
    """Something cannot be done as it was asked for; the message is a whole sentence."""

    code = "not-possible"


class DraftNotFound(CaseFault):
    """No draft here has this id, or several begin like it."""

    code = "not-found"


class Stale(CaseFault):
    """The draft was changed by somebody else since it was read."""

    code = "stale"

    def __init__(self, draft: str, given: int, current: int) -> None:
        """Say which version is current, and that nothing was overwritten."""
        super().__init__(
            f"Version {given} is not the newest any more: {current} is. Nothing was saved and "
            f"nothing lost: keep your text, look at the other with `comity draft show {draft[:8]}`,"
            f" and save yours again as a change of version {current}."
        )
        self.current = current


class WrongState(CaseFault):
    """A draft is not where this step would begin."""

    code = "not-now"


class NeedsAnother(CaseFault):
    """Two persons are needed, and this one has done their part already."""

    code = "second-person"


class NotYours(CaseFault):
    """A step that is for a person with another role."""

    code = "role"


class Incomplete(CaseFault):
    """Something that the law makes mandatory is missing, or is forbidden; nothing was sent."""

    code = "incomplete"

    def __init__(self, report: Report, where: str) -> None:
        """Keep what was found; `where` says where the text still is."""
        count = sum(one.severity == "blocks" for one in report.findings)
        what = "1 thing blocks" if count == 1 else f"{count} things block"
        super().__init__(f"{what} this from being sent; each is named with its rule. {where}")
        self.report = report
