"""`python -m dougong.client.cli`."""

import sys

from dougong.client.cli import main

sys.exit(main())
