"""Casework: the law's data, who is there to approve, where cases stand, mail. Reads only."""

from __future__ import annotations

from typing import Final

from cryptography import x509

from node.access.people import roles_of
from node.access.roles import CASEWORK, Role
from node.cases.law import LawError, load_law
from node.doctor.check import DAY_S, Check, expiring, failed, ok, warning
from node.settings import Settings
from node.storage import Connection, mail_rows, people_rows, standing_rows
from node.transport.tls import server_context
from protocol.errors import Malformed

_TWO: Final = 2
_MAIL_LATE_S: Final = 2 * DAY_S


def check_law(settings: Settings) -> Check:
    """Look at what this authority adds to the law that the node brings."""
    try:
        load_law(settings.law_folder)
    except LawError:
        sentence = "The law folder does not load: the node does not start with it."
        return failed("law", sentence, "Type `comity law check`, which says where and why.")
    return ok("law", "The law's data load.")


def check_people(conn: Connection) -> Check:
    """Say whether enough people are there for one to see what another wrote."""
    active = [one for one in people_rows.list_users(conn) if one.state == "active"]
    roles = [roles_of(one.roles) for one in active]
    at_work = sum(bool(one & CASEWORK) for one in roles)
    approve = sum(Role.APPROVER in one for one in roles)
    sentence = f"{at_work} people work on cases, and {approve} of them may approve."
    if at_work and approve < _TWO:
        advice = "Add approvers (`comity user add`): nobody approves what they wrote themselves."
        return warning("people", sentence, advice)
    return ok("people", sentence)


def check_standings(conn: Connection) -> Check:
    """Miss cases of which nothing says where they stand."""
    if standing_rows.cases_without(conn, 1):
        sentence = "Of some cases nothing says where they stand."
        return warning("standings", sentence, "Start the node, which derives it.")
    return ok("standings", "Of every case is known where it stands.")


def check_mail(conn: Connection, settings: Settings, now: int) -> Check:
    """Look at mails that have waited for two days."""
    if settings.mail.host is None:
        return ok("mail", "No mail server is named: people look at `comity work`.")
    late = [one for one in mail_rows.waiting(conn) if one.since < now - _MAIL_LATE_S]
    if late:
        sentence = f"Mail to {len(late)} people has waited for more than two days."
        return warning("mail", sentence, "Check [mail], and what the operator's log says of it.")
    return ok("mail", "No mail waits for long.")


def check_staff(settings: Settings, now: int) -> Check:
    """Look at the certificate that our own people and programs see."""
    staff, name = settings.staff, "staff-certificate"
    if staff.listen is None:
        return ok(name, "The API is off.")
    advice = "Name a certificate and its key in [staff]."
    path, key = staff.certificate or settings.peers.certificate, staff.private_key
    try:
        pem = path.read_bytes()
        server_context(pem, (key or settings.peers.private_key).read_bytes())
        certificate = x509.load_pem_x509_certificate(pem)
    except OSError as fault:
        return failed(name, f"{fault.filename} cannot be read ({fault.strerror}).", advice)
    except (Malformed, ValueError):
        return failed(name, f"{path} and its key do not belong together.", advice)
    end = int(certificate.not_valid_after_utc.timestamp())
    return expiring(name, "The certificate of the API", end, now, advice)
