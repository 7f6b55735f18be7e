"""The command line, the HTTP service, the pages, and the wiring of all rooms."""
