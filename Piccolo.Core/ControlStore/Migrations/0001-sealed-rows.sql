CREATE TABLE meta (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    revision    INTEGER NOT NULL,
    min_reader  INTEGER NOT NULL
) STRICT;

INSERT INTO meta (id, revision, min_reader) VALUES (1, 0, 1);

CREATE TABLE rows (
    collection  TEXT    NOT NULL,
    id          BLOB    NOT NULL,
    schema      INTEGER NOT NULL,
    box         BLOB    NOT NULL,
    PRIMARY KEY (collection, id)
) STRICT, WITHOUT ROWID;

-- The newest revisions, each bound to the one before it and to the rows that it left. Scripts never touch "rows": its digest is part of the chain.
CREATE TABLE revisions (
    revision    INTEGER PRIMARY KEY,
    previous    BLOB    NOT NULL,
    changes     BLOB    NOT NULL,
    state       BLOB    NOT NULL,
    chain       BLOB    NOT NULL
) STRICT;
