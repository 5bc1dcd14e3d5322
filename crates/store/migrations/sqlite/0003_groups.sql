-- Groups of providers, made by API: which targets share the requests for some models. Nothing in them is secret, and no
-- MAC covers them: a group can only lead to providers and keys that are there.
CREATE TABLE groups (
    id         TEXT    NOT NULL PRIMARY KEY,         -- a slug of the first name
    name       TEXT    NOT NULL,
    rule       TEXT    NOT NULL,                     -- pattern, members, strategy: JSON
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
