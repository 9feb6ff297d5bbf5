"""`python -m seesay` is the `seesay` command."""

from .cli.main import main

if __name__ == "__main__":
    main()
