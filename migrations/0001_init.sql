-- The store's first schema. Records live in blocks: there is no row per record.
-- What a block's bytes mean is told in docs/storage.md.

PRAGMA application_id = 0x48724c64;

-- A block: up to 8,192 records with consecutive ids.
CREATE TABLE block (
    first_id        INTEGER PRIMARY KEY,
    count           INTEGER NOT NULL CHECK (count > 0),
    min_received_us INTEGER NOT NULL,
    max_received_us INTEGER NOT NULL,
    min_created_us  INTEGER NOT NULL,
    max_created_us  INTEGER NOT NULL,
    -- Pairs of level and count, four bytes each, little-endian.
    levels          BLOB    NOT NULL,
    format          INTEGER NOT NULL,
    -- Compressed size with the filter, and the size of the texts before compression.
    bytes           INTEGER NOT NULL,
    text_bytes      INTEGER NOT NULL,
    -- How often each value of some fields is in it.
    facets          BLOB    NOT NULL
) STRICT;

-- id = first_id * 64 + number of the part.
CREATE TABLE block_part (
    id   INTEGER PRIMARY KEY,
    data BLOB    NOT NULL
) STRICT;

-- id = number of the slice * 2^56 + first_id: one slice of all blocks lies together.
CREATE TABLE block_filter (
    id   INTEGER PRIMARY KEY,
    bits BLOB    NOT NULL
) STRICT;

-- A spool, and how far its numbers have come. Never deleted: exactly-once rests on it.
CREATE TABLE bridge (
    bridge_id      BLOB    PRIMARY KEY CHECK (length(bridge_id) = 16),
    name           TEXT    NOT NULL,
    first_sequence INTEGER NOT NULL,
    next_sequence  INTEGER NOT NULL CHECK (next_sequence >= first_sequence),
    contact_us     INTEGER NOT NULL,
    mark           TEXT    NOT NULL,
    -- The newest herald.v1.BridgeReport, encoded.
    report         BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letter (
    id          INTEGER PRIMARY KEY,
    stored_us   INTEGER NOT NULL,
    received_us INTEGER NOT NULL,
    peer        TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    size_bytes  INTEGER NOT NULL,
    sha256      BLOB    NOT NULL,
    head        BLOB    NOT NULL,
    bridge_id   BLOB    NOT NULL,
    sequence    INTEGER NOT NULL
) STRICT;

CREATE TABLE gap (
    id             INTEGER PRIMARY KEY,
    declared_us    INTEGER NOT NULL,
    bridge_id      BLOB    NOT NULL,
    first_sequence INTEGER NOT NULL,
    count          INTEGER NOT NULL,
    reason         TEXT    NOT NULL
) STRICT;

-- A view of the log with a name, for all.
CREATE TABLE saved_search (
    -- The name without case.
    name_key   TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    -- The query part of the log page's URL.
    query      TEXT    NOT NULL,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What has been taken, ever. Ids are dense, so that the sum over all bridges of
-- next_sequence - first_sequence is records + dead_letters + lost.
CREATE TABLE counter (
    name  TEXT    PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO counter (name, value) VALUES ('records', 0), ('dead_letters', 0), ('lost', 0);
