"""Members: the first one's set-up, signing in and out, invitations, one's own account."""

from quart import Quart

from errorstack_live.web.account import first, invitation, members, own, sessions, sign_in, tokens
from errorstack_live.web.password import MIN_PASSWORD_CHARS, invite_ends_at, is_invite

PARTS = (
    first.part,
    sign_in.part,
    invitation.part,
    members.part,
    own.part,
    sessions.part,
    tokens.part,
)


def register(app: Quart) -> None:
    """Serve the pages of members' accounts."""
    app.jinja_env.filters["is_invite"] = is_invite
    app.jinja_env.filters["invite_ends_at"] = invite_ends_at
    app.jinja_env.globals["min_password_chars"] = MIN_PASSWORD_CHARS
    for part in PARTS:
        app.register_blueprint(part)
