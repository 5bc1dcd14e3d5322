-- Answers that clients may ask for again and go on from. Both texts are sealed under a key of the row, which is derived
-- from the vault's own key, so that a new master key leaves these rows as they are. No sum covers them: a row that is gone
-- is as one that was deleted.
CREATE TABLE responses (
    row          INTEGER PRIMARY KEY AUTOINCREMENT,  -- in order of keeping, and never used again
    uuid         BLOB    NOT NULL UNIQUE,            -- what the key of the row is derived by
    key          TEXT,                               -- whose: the caller's key; null: none was asked for
    project      TEXT    NOT NULL,
    id           TEXT    NOT NULL,                   -- as providers give them, so that two rows may share one
    previous     TEXT,                               -- id of the answer that it goes on from
    previous_row INTEGER,
    created_at   INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,                   -- of both texts as they are sealed
    input        BLOB    NOT NULL,                   -- what was new in this turn: a JSON array
    answer       BLOB    NOT NULL                    -- a JSON object
) STRICT;
CREATE INDEX responses_by_id ON responses (id, row);
CREATE INDEX responses_by_age ON responses (created_at, row, bytes);
