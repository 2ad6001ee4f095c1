"""The tables of the database, as a list of migrations. A released migration is never changed; a new one is added."""

_V1 = """
-- A mesh that a user has uploaded. Two users of the same bytes have a row each and share the stored mesh.
CREATE TABLE meshes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    mesh_id TEXT NOT NULL,
    file_name TEXT NOT NULL,
    file_bytes INTEGER NOT NULL,
    format TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    UNIQUE (owner, mesh_id)
) STRICT;

-- An upload that has not ended.
CREATE TABLE uploads (
    owner TEXT NOT NULL,
    upload_id TEXT NOT NULL,
    header BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,
    touch_time INTEGER NOT NULL,
    PRIMARY KEY (owner, upload_id)
) STRICT;

CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    request_id TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    name TEXT NOT NULL,
    mesh_id TEXT NOT NULL,
    analysis BLOB NOT NULL,
    resources BLOB NOT NULL,
    ranks INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('QUEUED', 'PREPARING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    create_time INTEGER NOT NULL,
    start_time INTEGER,
    end_time INTEGER,
    failure BLOB,
    progress BLOB,
    last_sequence INTEGER NOT NULL DEFAULT 0,
    UNIQUE (owner, request_id)
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_by_mesh ON jobs (mesh_id);

-- One try at a job. The row is there before anything is started.
CREATE TABLE attempts (
    job_id TEXT NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    token TEXT NOT NULL UNIQUE,
    executor TEXT NOT NULL,
    handle TEXT,
    verdict BLOB,
    progress_offset INTEGER NOT NULL DEFAULT 0,
    ending TEXT,
    begin_time INTEGER NOT NULL,
    end_time INTEGER,
    PRIMARY KEY (job_id, attempt)
) STRICT;

CREATE TABLE events (
    job_id TEXT NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    event BLOB NOT NULL,
    PRIMARY KEY (job_id, sequence)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER jobs_stay_ended BEFORE UPDATE OF state ON jobs
WHEN OLD.state IN ('SUCCEEDED', 'FAILED', 'CANCELLED') AND NEW.state <> OLD.state
BEGIN
    SELECT RAISE(ABORT, 'a job that has ended does not change its state');
END;

CREATE TRIGGER events_have_no_gap BEFORE INSERT ON events
WHEN NEW.sequence <> 1 + coalesce((SELECT max(sequence) FROM events WHERE job_id = NEW.job_id), 0)
BEGIN
    SELECT RAISE(ABORT, 'events are numbered without a gap');
END;
"""

_V2 = """
-- dougong.internal.Prediction: what the model says of the job.
ALTER TABLE jobs ADD COLUMN prediction BLOB;

-- What jobs were to take and what they took. It outlives them, so that estimates get better.
CREATE TABLE history (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    size INTEGER NOT NULL,
    dofs INTEGER NOT NULL,
    ranks INTEGER NOT NULL,
    predicted_seconds REAL NOT NULL,
    measured_seconds REAL NOT NULL,
    predicted_bytes INTEGER NOT NULL,
    measured_bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX history_by_kind ON history (kind, size, number);
"""

_V3 = """
-- The shared folder in which the attempt runs; empty: the data folder; NULL: begun by a version that did not note it.
ALTER TABLE attempts ADD COLUMN shared TEXT;
"""

MIGRATIONS = (_V1, _V2, _V3)
