"""`python -m foodvision` is the `foodvision` command."""

import sys

from .cli import main

sys.exit(main())
