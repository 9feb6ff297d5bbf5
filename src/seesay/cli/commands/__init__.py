"""One file per command; the file's name is the command's, and its `command` is a click command or group."""
