"""The command line: `mmcore VERB`, one module a verb. `mmcore.cli.main.main` is its entry point."""
