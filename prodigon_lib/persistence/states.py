"""What Postgres' SQLSTATE codes mean to a caller; apart, for those who do without SQLAlchemy."""

UNDEFINED_TABLE = "42P01"
QUERY_CANCELLED = "57014"
AWAY = ("08", "28", "3D", "53", "57")
"""Classes of SQLSTATE: connection, login, no such database, out of resources, operator intervention."""
