"""`python -m mmcore` is the command `mmcore`."""

from mmcore.cli.main import main

raise SystemExit(main())
