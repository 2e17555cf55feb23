"""The web application: HTTP, the rules of an audit, and everything that is kept. Never imports torch."""
