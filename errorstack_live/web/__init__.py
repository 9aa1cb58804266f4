"""The server: pages, API, websockets and the ingest door. Alone in importing Quart."""
