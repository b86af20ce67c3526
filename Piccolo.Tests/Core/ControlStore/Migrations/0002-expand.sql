-- What a later release may do while this one must still read its store: more columns with a default, more tables.
ALTER TABLE meta ADD COLUMN node TEXT NOT NULL DEFAULT '';

CREATE TABLE hints (
    name    TEXT PRIMARY KEY,
    value   BLOB NOT NULL
) STRICT;

INSERT INTO hints (name, value) VALUES ('later', x'01');
