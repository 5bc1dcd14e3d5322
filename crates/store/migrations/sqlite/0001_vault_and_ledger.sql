-- Times are microseconds since 1970 UTC. Money is billionths of a US dollar.

-- One row: what the master key is checked against.
CREATE TABLE vault (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    id         BLOB    NOT NULL,               -- uuid; salt of every subkey
    format     INTEGER NOT NULL,               -- of sealed values
    key_check  BLOB    NOT NULL,
    kek_no     INTEGER NOT NULL,               -- the key-encryption key that wraps now
    kek_wraps  INTEGER NOT NULL DEFAULT 0      -- data keys that it has wrapped
) STRICT;

CREATE TABLE credentials (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again after a delete
    uuid        BLOB    NOT NULL UNIQUE,             -- binds what is sealed to this row
    provider    TEXT    NOT NULL,
    key_name    TEXT    NOT NULL,
    project     TEXT    NOT NULL,
    version     INTEGER NOT NULL,                    -- writes of this row; bound too
    kek_no      INTEGER NOT NULL,
    wrapped_key BLOB    NOT NULL,                    -- the data key, under key-encryption key kek_no
    body        BLOB    NOT NULL,                    -- the secret, under the data key
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    UNIQUE (provider, key_name, project)
) STRICT;

-- Ordered by id, which is a uuid of version 7 and so by time.
CREATE TABLE ledger (
    id                BLOB    NOT NULL PRIMARY KEY,
    started_at        INTEGER NOT NULL,
    key_name          TEXT,
    project           TEXT    NOT NULL,
    surface           TEXT    NOT NULL,
    operation         TEXT    NOT NULL,
    provider          TEXT,
    wire              TEXT,
    model_asked       TEXT,
    model_sent        TEXT,
    model_answered    TEXT,
    stream            INTEGER NOT NULL,
    input             INTEGER,
    cache_read        INTEGER,
    cache_write       INTEGER,
    cache_write_1h    INTEGER,
    output            INTEGER,
    reasoning         INTEGER,
    usage_odd         INTEGER NOT NULL,
    cost_nanos        INTEGER,
    stated_cost_nanos INTEGER,
    price_source      TEXT,
    status            INTEGER NOT NULL,
    outcome           TEXT    NOT NULL,
    fault_code        TEXT,
    attempts          INTEGER NOT NULL,
    attempts_detail   TEXT,
    first_byte_us     INTEGER,
    total_us          INTEGER NOT NULL,
    client_request_id TEXT,
    losses            TEXT
) STRICT, WITHOUT ROWID;
