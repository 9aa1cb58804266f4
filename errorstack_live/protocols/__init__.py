"""Ingest protocols: one file for each, and the table of the paths they answer."""

from typing import Protocol as Interface

from errorstack_live.model import Kind, Outcome, Parsed, Reply, Submission
from errorstack_live.protocols.beacon import LOG, SUBMIT
from errorstack_live.protocols.mark import MARK

__all__ = ["PROTOCOLS", "Protocol"]


class Protocol(Interface):
    """What a path's requests mean and how they are answered; no I/O, no clock."""

    @property
    def name(self) -> str:
        """Word for the protocol, kept with every error."""
        ...

    @property
    def kind(self) -> Kind:
        """What its submissions become."""
        ...

    def hint(self, submission: Submission) -> str:
        """Tell the form of reply wanted by the query alone, for a body that was never read."""
        ...

    def parse(self, submission: Submission) -> Parsed:
        """Read a submission. Raises nothing but ``errors.Refused``."""
        ...

    def reply(self, outcome: Outcome, hint: str) -> Reply:
        """Answer in the form ``hint``, which came from ``parse`` or ``hint``."""
        ...


PROTOCOLS: dict[str, Protocol] = {"/submit": SUBMIT, "/log": LOG, "/mark": MARK}
