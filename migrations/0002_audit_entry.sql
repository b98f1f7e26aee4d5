-- What somebody has changed. Kept for its own time; no call changes or removes it.
CREATE TABLE audit_entry (
    -- Never given twice.
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us          INTEGER NOT NULL,
    -- As herald.v1.AuditAction; 12 is somebody who was not let in.
    action         INTEGER NOT NULL,
    object         TEXT    NOT NULL,
    detail         TEXT    NOT NULL,
    before         TEXT    NOT NULL,
    after          TEXT    NOT NULL,
    -- As herald.v1.AuthorKind.
    author_kind    INTEGER NOT NULL,
    author_name    TEXT    NOT NULL,
    author_said    TEXT    NOT NULL,
    -- Empty when it is not known.
    author_address TEXT    NOT NULL,
    -- How many it stands for.
    count          INTEGER NOT NULL CHECK (count > 0)
) STRICT;

-- Both are bounded by themselves: whoever tries to sign in displaces no changes.
CREATE INDEX audit_entry_refused ON audit_entry (id) WHERE action = 12;
CREATE INDEX audit_entry_done ON audit_entry (id) WHERE action <> 12;

CREATE TRIGGER audit_entry_stays BEFORE UPDATE ON audit_entry
BEGIN
    SELECT RAISE(ABORT, 'an entry of the audit log is never changed');
END;
