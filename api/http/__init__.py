"""The service over HTTP: requests in, a use case called, responses out."""
