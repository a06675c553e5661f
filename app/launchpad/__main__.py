"""`python -m launchpad` and the bundle's executable: the command line."""

import multiprocessing

from launchpad.cli import main

if __name__ == "__main__":
    multiprocessing.freeze_support()
    main()
