-- Risk tables as releases: rows that are written once, and one pointer to the release in service.

CREATE TABLE releases (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    number integer NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE,
    label text NOT NULL,
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Every release has a stretch of 10,000 numbers of its own, so that ranges of one built-in type say which zipcodes of
-- which release a row covers: no two may overlap. An extension (btree_gist) would be needed to name the release apart.
CREATE TABLE risk_ranges (
    release integer NOT NULL REFERENCES releases (number),
    first smallint NOT NULL CHECK (first >= 1000),
    last smallint NOT NULL CHECK (last <= 9999),
    factor text NOT NULL CHECK (factor IN ('A', 'B', 'C')),
    CONSTRAINT risk_ranges_pkey PRIMARY KEY (release, first) INCLUDE (last, factor),
    CONSTRAINT risk_ranges_not_reversed CHECK (first <= last),
    CONSTRAINT risk_ranges_do_not_overlap EXCLUDE USING gist (
        int8range(release::bigint * 10000 + first, release::bigint * 10000 + last, '[]') WITH &&
    )
);

-- The one row is there from the start: whoever activates a release locks it first.
CREATE TABLE active_release (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    release integer REFERENCES releases (number),
    since timestamptz NOT NULL DEFAULT now()
);

INSERT INTO active_release DEFAULT VALUES;

-- Roles belong to the server, not to the database: another database may have made this one before, or just now.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'belref_service') THEN
        CREATE ROLE belref_service NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

GRANT SELECT, INSERT ON releases, risk_ranges TO belref_service;
GRANT SELECT, UPDATE (release, since) ON active_release TO belref_service;
