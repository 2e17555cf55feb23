"""Everything that is kept: tables, queries, artifacts, jobs, the embedded PostgreSQL."""
