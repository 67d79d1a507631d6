"""The face of the client for programs without an event loop."""
