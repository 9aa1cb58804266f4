"""Send a log message, a logged error, and two exceptions: python example.py ENDPOINT KEY."""

import logging
import sys

from errorstack_client import Client, ErrorStackHandler, install_hooks


def main(endpoint: str, key: str) -> None:
    client = Client(key, endpoint, release="1.0", environment="example")
    install_hooks(client)  # what nobody catches
    logging.getLogger().addHandler(ErrorStackHandler(client))  # what is logged as an error

    client.log("the example begins")
    logging.getLogger("shop").error("order %s was not saved", 1017, extra={"user": {"id": 5}})
    try:
        with client.watch(job="example"):
            int("a colour")
    except ValueError:
        pass
    try:
        print(1 / 0)
    except ZeroDivisionError:
        client.submit_exception(table="rates")
    client.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
