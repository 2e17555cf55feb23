"""What travels over HTTP: every request and answer as a pydantic model, one file per noun."""
