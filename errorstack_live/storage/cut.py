"""The mark of what was over a limit, as it is stored with errors and log messages."""

from errorstack_live.model import Cut
from errorstack_live.storage.document import Document


def cut_document(cut: Cut | None) -> Document | None:
    """A mark as it is stored."""
    if cut is None:
        return None
    return {"body_bytes": cut.body_bytes, "fields": cut.fields, "names": cut.names}


def cut_from(found: Document | None) -> Cut | None:
    """A mark as it was stored."""
    if found is None:
        return None
    return Cut(found.get("body_bytes", 0), found.get("fields", 0), found.get("names", 0))
