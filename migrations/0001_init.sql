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
    bridge_id        BLOB    PRIMARY KEY CHECK (length(bridge_id) = 16),
    name             TEXT    NOT NULL,
    first_sequence   INTEGER NOT NULL,
    next_sequence    INTEGER NOT NULL CHECK (next_sequence >= first_sequence),
    -- When it was entered, and its newest contact.
    first_contact_us INTEGER NOT NULL,
    contact_us       INTEGER NOT NULL,
    mark             TEXT    NOT NULL,
    -- The newest herald.v1.BridgeReport, encoded.
    report           BLOB
) STRICT, WITHOUT ROWID;

-- When a bridge was away whose spool then went on under the identity it had: its
-- other absences can be told from the times of table bridge.
CREATE TABLE interruption (
    id        INTEGER PRIMARY KEY,
    bridge_id BLOB    NOT NULL,
    from_us   INTEGER NOT NULL,
    to_us     INTEGER NOT NULL CHECK (to_us > from_us)
) STRICT;

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

-- A system on a host that has been seen. It outlives its records.
CREATE TABLE system (
    system_id         TEXT    NOT NULL,
    sub_system_id     TEXT    NOT NULL,
    first_received_us INTEGER NOT NULL,
    last_received_us  INTEGER NOT NULL,
    last_stored_us    INTEGER NOT NULL,
    last_id           INTEGER NOT NULL,
    PRIMARY KEY (system_id, sub_system_id)
) STRICT, WITHOUT ROWID;

-- One row: what there is once of everything about alerts.
CREATE TABLE watch (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    -- Records up to this id have been judged.
    judged_id     INTEGER NOT NULL,
    -- The newest alert's id, ever.
    alert_id      INTEGER NOT NULL,
    -- The newest run, and its lease: until when, for how long a renewal holds.
    run_id        INTEGER NOT NULL,
    lease_until_us INTEGER NOT NULL,
    lease_us      INTEGER NOT NULL,
    -- How long after it the next is expected.
    interval_us   INTEGER NOT NULL,
    -- Table `system` is complete for records up to this id.
    seen_id       INTEGER NOT NULL,
    -- When the store was last known to run.
    alive_us      INTEGER NOT NULL,
    -- 32 random bytes, made at the first start, with which links are signed.
    link_key      BLOB    NOT NULL
) STRICT;

INSERT INTO watch VALUES (1, 0, 0, 0, 0, 0, 0, 0, 0, x'');

-- What a rule has found: one at a time of each subject, which is rule, condition,
-- system and sub system.
CREATE TABLE alert (
    id                 INTEGER PRIMARY KEY,
    rule               TEXT    NOT NULL,
    condition          TEXT    NOT NULL,
    system_id          TEXT    NOT NULL,
    sub_system_id      TEXT    NOT NULL,
    -- 1 match, 2 count, 3 heartbeat, as herald.v1.AlertKind.
    kind               INTEGER NOT NULL,
    reason             TEXT    NOT NULL,
    opened_us          INTEGER NOT NULL,
    -- None while it goes on.
    resolved_us        INTEGER,
    since_us           INTEGER NOT NULL,
    last_us            INTEGER NOT NULL,
    first_record_id    INTEGER NOT NULL,
    last_record_id     INTEGER NOT NULL,
    records            INTEGER NOT NULL,
    records_unnotified INTEGER NOT NULL,
    notified_us        INTEGER NOT NULL,
    acknowledged_us    INTEGER,
    silenced_until_us  INTEGER
) STRICT;

CREATE UNIQUE INDEX alert_firing ON alert (rule, condition, system_id, sub_system_id)
    WHERE resolved_us IS NULL;
CREATE INDEX alert_open ON alert (id) WHERE resolved_us IS NULL;
CREATE INDEX alert_silenced ON alert (rule, condition, system_id, sub_system_id)
    WHERE silenced_until_us IS NOT NULL;
CREATE INDEX alert_by_rule ON alert (rule);
CREATE INDEX alert_by_system ON alert (system_id);
CREATE INDEX alert_resolved ON alert (resolved_us) WHERE resolved_us IS NOT NULL;

CREATE TABLE alert_event (
    id       INTEGER PRIMARY KEY,
    alert_id INTEGER NOT NULL,
    at_us    INTEGER NOT NULL,
    -- 1 fired, 2 notified, 3 acknowledged, 4 silenced, 5 unsilenced, 6 resolved,
    -- as herald.v1.AlertEventKind.
    kind     INTEGER NOT NULL,
    -- Who did it, as far as that is known.
    person   TEXT    NOT NULL,
    note     TEXT    NOT NULL
) STRICT;

CREATE INDEX alert_event_by_alert ON alert_event (alert_id);

-- What is to be told to people.
CREATE TABLE notification (
    id         INTEGER PRIMARY KEY,
    message_id TEXT    NOT NULL UNIQUE,
    created_us INTEGER NOT NULL,
    subject    TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    html       TEXT    NOT NULL,
    json       TEXT    NOT NULL
) STRICT;

CREATE INDEX notification_by_time ON notification (created_us);

-- Which alerts a notification is about.
CREATE TABLE notification_alert (
    alert_id        INTEGER NOT NULL,
    notification_id INTEGER NOT NULL,
    PRIMARY KEY (alert_id, notification_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX notification_alert_by_notification ON notification_alert (notification_id);

-- A notification on its way to one recipient.
CREATE TABLE delivery (
    id              INTEGER PRIMARY KEY,
    notification_id INTEGER NOT NULL,
    -- 1 mail, 2 webhook, as herald.v1.DeliveryChannel.
    channel         INTEGER NOT NULL,
    recipient       TEXT    NOT NULL,
    -- 1 waiting, 2 delivered, 3 failed, 4 kept, as herald.v1.DeliveryState.
    state           INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    next_attempt_us INTEGER NOT NULL,
    error           TEXT    NOT NULL,
    delivered_us    INTEGER
) STRICT;

CREATE INDEX delivery_by_notification ON delivery (notification_id);
CREATE INDEX delivery_waiting ON delivery (notification_id, next_attempt_us) WHERE state = 1;
CREATE INDEX delivery_failed ON delivery (notification_id) WHERE state = 3;

-- What rules expect of systems, as the newest run left it.
CREATE TABLE heartbeat (
    system_id         TEXT    NOT NULL,
    sub_system_id     TEXT    NOT NULL,
    rule              TEXT    NOT NULL,
    condition         TEXT    NOT NULL,
    expected          TEXT    NOT NULL,
    -- 1 up, 2 late, 3 down, 4 never seen, as herald.v1.HeartbeatState.
    state             INTEGER NOT NULL,
    since_us          INTEGER NOT NULL,
    last_received_us  INTEGER NOT NULL,
    due_us            INTEGER NOT NULL,
    expected_since_us INTEGER NOT NULL,
    PRIMARY KEY (system_id, sub_system_id, rule, condition)
) STRICT, WITHOUT ROWID;

-- The rules of the newest run, in the order of the file.
CREATE TABLE rule (
    place      INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    -- Addresses and URLs, a JSON array.
    recipients TEXT    NOT NULL,
    line       INTEGER NOT NULL
) STRICT;

-- Runs of neelix.
CREATE TABLE run (
    id          INTEGER PRIMARY KEY,
    holder      TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    started_us  INTEGER NOT NULL,
    ended_us    INTEGER,
    -- 1 when what it found is kept.
    committed   INTEGER NOT NULL,
    after_id    INTEGER NOT NULL,
    through_id  INTEGER NOT NULL,
    opened      INTEGER NOT NULL,
    resolved    INTEGER NOT NULL,
    delivered   INTEGER NOT NULL,
    undelivered INTEGER NOT NULL,
    -- Lines, a JSON array.
    errors      TEXT    NOT NULL
) STRICT;

CREATE INDEX run_by_start ON run (started_us);
CREATE INDEX run_ended ON run (id) WHERE ended_us IS NOT NULL;
CREATE INDEX run_committed ON run (id) WHERE committed = 1;
-- Those that did nothing.
CREATE INDEX run_idle ON run (id)
    WHERE ended_us IS NOT NULL AND opened = 0 AND resolved = 0
        AND delivered = 0 AND undelivered = 0 AND errors = '[]';
