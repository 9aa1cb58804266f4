"""What proves a client: a real server to send to, servers that misbehave, a socket, a table.

Tests get it by the fixtures of ``fixtures.py``: ``stack``, ``live``, ``trouble``, ``toolchain``,
``snippet`` and ``report``.
"""
