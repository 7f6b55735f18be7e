"""The `stopline` command: arguments in, a use case called, text and an exit code out."""
