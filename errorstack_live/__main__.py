"""``python -m errorstack_live`` is ``errorstack``."""

from errorstack_live.cli import main

if __name__ == "__main__":
    main(prog_name="errorstack")
