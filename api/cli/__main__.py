"""Runs the command as ``python -m api.cli``, for where the ``stopline`` script isn't on the path."""

from __future__ import annotations

import sys

from api.cli.main import main

sys.exit(main())
