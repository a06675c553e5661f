"""`python -m launchpad`: the command line."""

from launchpad.cli import main

if __name__ == "__main__":
    main()
