-- When circuit breakers open and close, as far as that was said by API. One row, or none: nothing was said.
CREATE TABLE breakers (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    rule       TEXT    NOT NULL,                     -- what was said, and no more: JSON
    updated_at INTEGER NOT NULL
) STRICT;
