"""The rules of an audit, pure: no disk, no database, no clock."""
