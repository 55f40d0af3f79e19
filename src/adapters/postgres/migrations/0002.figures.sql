-- Published figures as they were seen: rows that are added, and neither changed nor removed.

-- In index points. Not numeric(8, 2), which would round a third decimal away without a word.
CREATE DOMAIN index_points AS numeric CHECK (VALUE > 0 AND VALUE < 1000000 AND scale(VALUE) <= 2);

-- Writers come one after the other, so that `number` is the order in which they were committed.
CREATE TABLE figures (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    month date NOT NULL CHECK (month BETWEEN '1994-01-01' AND '9999-12-01' AND extract(day FROM month) = 1),
    base_year smallint NOT NULL CHECK (base_year >= 1988),
    value index_points NOT NULL,
    smoothed index_points,
    seen_at timestamptz NOT NULL CHECK (isfinite(seen_at)),
    source text NOT NULL
);

CREATE INDEX figures_versions ON figures (base_year, month, number);

-- Column by column, so that the service cannot choose the number itself.
GRANT SELECT, INSERT (month, base_year, value, smoothed, seen_at, source) ON figures TO belref_service;
