"""The HTTP API: one model for programs, phones and visitors of the page, in one process."""
