"""The command line: one file per command in `commands/`, flags from `settings`, all printing in `render`."""
