"""The state of a sending as clients see it."""

SHOWN_STATE = """
    CASE WHEN a.state = 'applied' AND EXISTS (
        WITH RECURSIVE mended AS (
            SELECT u.fixes, u.place, u.reverted_at
            UNION
            SELECT o.fixes, o.place, o.reverted_at FROM mended JOIN upload o ON o.id = mended.fixes
        )
        SELECT FROM mended WHERE place <= reverted_at
    ) THEN 'reverted' ELSE a.state END
"""
"""The SQL of it, for an `attempt a` of an `upload u`: a fix is taken back with what it mends."""
