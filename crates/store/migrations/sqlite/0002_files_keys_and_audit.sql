-- Auth files of command-line programs, sealed like credentials.
CREATE TABLE files (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid        BLOB    NOT NULL UNIQUE,
    provider    TEXT    NOT NULL,
    file_name   TEXT    NOT NULL,
    project     TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    kek_no      INTEGER NOT NULL,
    wrapped_key BLOB    NOT NULL,
    body        BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    UNIQUE (provider, file_name, project)
) STRICT;

-- Access keys of callers: never the key, only a keyed digest of it. Lists are JSON.
CREATE TABLE access_keys (
    id          TEXT    NOT NULL PRIMARY KEY,        -- part of the key: gw_<id>_...
    name        TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    project     TEXT,                                -- null: may act for any project
    models      TEXT    NOT NULL,                    -- patterns; an empty list: all
    providers   TEXT    NOT NULL,                    -- ids; an empty list: all
    labels      TEXT    NOT NULL,
    mac         BLOB    NOT NULL,
    ending      TEXT    NOT NULL,                    -- last four characters, for people
    old_mac     BLOB,                                -- of the key before the last rotation
    old_until   INTEGER,
    version     INTEGER NOT NULL,
    created_by  TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    revoked_at  INTEGER
) STRICT, WITHOUT ROWID;

-- Who changed what in the vault. Each entry's link is a MAC over the entry and the link before it.
CREATE TABLE audit (
    seq        INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    target     TEXT    NOT NULL,                     -- such as credential/7
    detail     TEXT    NOT NULL,                     -- names, as people know the target
    request_id TEXT,
    digest     BLOB,                                 -- of the row after the change; null: there is none
    link       BLOB    NOT NULL
) STRICT;
CREATE INDEX audit_by_target ON audit (target, seq);

-- The key of all MACs, sealed like a credential: a new master key must not make them worthless.
ALTER TABLE vault ADD COLUMN mac_key_body BLOB;
ALTER TABLE vault ADD COLUMN mac_key_wrapped BLOB;
ALTER TABLE vault ADD COLUMN mac_key_kek_no INTEGER NOT NULL DEFAULT 0;
-- What the vault holds as a whole, and the end of the audit log, under a MAC.
ALTER TABLE vault ADD COLUMN state_nonce BLOB;
ALTER TABLE vault ADD COLUMN state_sum BLOB;
ALTER TABLE vault ADD COLUMN state_rows INTEGER NOT NULL DEFAULT 0;
-- Grows with every change of credentials, files and keys.
ALTER TABLE vault ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
