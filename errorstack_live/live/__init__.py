"""What makes a view live: the hub, its mailboxes and frames. Knows neither the web nor storage."""
