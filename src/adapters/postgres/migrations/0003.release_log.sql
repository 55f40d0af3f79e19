-- Loading apart from putting into service, and a log of both; neither releases nor the log are changed any more.

-- Numbers are given out by whoever holds the lock on `active_release`, so that none is left out from here on.
ALTER TABLE releases
    ALTER COLUMN number DROP IDENTITY,
    ALTER COLUMN created_at DROP DEFAULT,
    ADD CONSTRAINT releases_number_check CHECK (number > 0),
    ADD CONSTRAINT releases_digest_key UNIQUE (digest),
    ADD COLUMN created_by text NOT NULL DEFAULT 'migration',
    -- Of the file, in hexadecimal; empty for what was loaded before this was written down.
    ADD COLUMN source_sha256 text NOT NULL DEFAULT '' CHECK (source_sha256 ~ '^([0-9a-f]{64})?$'),
    -- How many zipcodes have each factor, by its letter, and how many rows of risk_ranges there are.
    ADD COLUMN counts jsonb NOT NULL DEFAULT '{"A": 0, "B": 0, "C": 0}' CHECK (jsonb_typeof(counts) = 'object'),
    ADD COLUMN ranges integer NOT NULL DEFAULT 0 CHECK (ranges >= 0);

UPDATE releases SET ranges = counted.ranges, counts = counted.counts
FROM (
    SELECT
        release,
        count(*) AS ranges,
        jsonb_build_object(
            'A', coalesce(sum(last - first + 1) FILTER (WHERE factor = 'A'), 0),
            'B', coalesce(sum(last - first + 1) FILTER (WHERE factor = 'B'), 0),
            'C', coalesce(sum(last - first + 1) FILTER (WHERE factor = 'C'), 0)
        ) AS counts
    FROM risk_ranges
    GROUP BY release
) AS counted
WHERE counted.release = releases.number;

ALTER TABLE releases
    ALTER COLUMN created_by DROP DEFAULT,
    ALTER COLUMN source_sha256 DROP DEFAULT,
    ALTER COLUMN counts DROP DEFAULT,
    ALTER COLUMN ranges DROP DEFAULT;

-- Writers come one after the other, so that `number` and `at` are the order in which they were committed.
CREATE TABLE release_events (
    number integer PRIMARY KEY CHECK (number > 0),
    at timestamptz NOT NULL UNIQUE CHECK (isfinite(at)),
    kind text NOT NULL CHECK (kind IN ('loaded', 'activated', 'rolled_back')),
    release integer NOT NULL REFERENCES releases (number),
    actor text NOT NULL,
    forced boolean NOT NULL,
    -- The ranges that lost their factor, as [first, last, factor].
    withdrawn jsonb NOT NULL CHECK (jsonb_typeof(withdrawn) = 'array')
);

CREATE UNIQUE INDEX release_events_loaded_once ON release_events (release) WHERE kind = 'loaded';

-- What is known of the time before: when each release was loaded, and since when the active one is. Instants are those
-- that were written down, moved by microseconds where they do not ascend: a transaction is dated at its start.
INSERT INTO release_events (number, at, kind, release, actor, forced, withdrawn)
SELECT
    position,
    max(at - position * interval '1 microsecond') OVER (ORDER BY position) + position * interval '1 microsecond',
    kind,
    release,
    'migration',
    false,
    '[]'
FROM (
    SELECT row_number() OVER (ORDER BY kind = 'activated', release) AS position, at, kind, release
    FROM (
        SELECT created_at, 'loaded', number FROM releases
        UNION ALL
        SELECT since, 'activated', release FROM active_release WHERE release IS NOT NULL
    ) AS known (at, kind, release)
) AS numbered;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are added, and never changed nor removed', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER added_to_alone BEFORE UPDATE OR DELETE OR TRUNCATE ON releases
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER added_to_alone BEFORE UPDATE OR DELETE OR TRUNCATE ON risk_ranges
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER added_to_alone BEFORE UPDATE OR DELETE OR TRUNCATE ON release_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Instead of the exclusion constraint, which took most of the time of storing a table: a table is added whole, so that
-- one look at it is enough. A release is complete once the log has it: a range more would be a change.
ALTER TABLE risk_ranges DROP CONSTRAINT risk_ranges_do_not_overlap;

CREATE FUNCTION check_ranges() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched integer;
BEGIN
    PERFORM FROM active_release FOR UPDATE; -- so that of two who add ranges one sees those of the other
    FOR touched IN SELECT DISTINCT release FROM inserted LOOP
        IF EXISTS (SELECT FROM release_events WHERE release_events.release = touched AND kind = 'loaded') THEN
            RAISE EXCEPTION 'release number % is loaded, and gets no more ranges', touched
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF EXISTS (
            SELECT FROM (
                SELECT last, lead(first) OVER (ORDER BY first) AS following
                FROM risk_ranges
                WHERE risk_ranges.release = touched
            ) AS neighbours
            WHERE neighbours.following <= neighbours.last
        ) THEN
            RAISE EXCEPTION 'ranges of release number % overlap', touched USING ERRCODE = 'exclusion_violation';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE TRIGGER checked_as_a_whole AFTER INSERT ON risk_ranges REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION check_ranges();

GRANT SELECT, INSERT ON release_events TO belref_service;
