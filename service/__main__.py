"""`python -m service`: the same as the command `stancewire`."""

from service.cli import main

if __name__ == "__main__":
    main()
