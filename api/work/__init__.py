"""What the product does, one use case a file: no web framework, no argument parsing, no SQL."""
