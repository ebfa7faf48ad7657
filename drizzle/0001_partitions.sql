-- Written by hand. A partition is a UTC month of started_at (T45, T52): old months are dropped whole.

-- Takes the row whose month has no partition (yet): a step is never refused for lack of one.
CREATE TABLE queries_default PARTITION OF queries DEFAULT;
--> statement-breakpoint
-- Makes the missing partitions from last month to `months_ahead` months from now; says how many it made.
-- Called below and by the scheduled job. Nothing missing: it takes no lock on the table.
CREATE FUNCTION ensure_query_partitions(months_ahead integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  this_month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
  first_day timestamp;
  range_from timestamptz;
  range_to timestamptz;
  partition text;
  made integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('ensure_query_partitions'));
  FOR ahead IN -1 .. months_ahead LOOP
    first_day := this_month + make_interval(months => ahead);
    partition := 'queries_' || to_char(first_day, 'YYYY_MM');
    CONTINUE WHEN to_regclass(partition) IS NOT NULL;
    range_from := first_day AT TIME ZONE 'UTC';
    range_to := (first_day + interval '1 month') AT TIME ZONE 'UTC';
    -- Attached rather than made as PARTITION OF: reading and writing of the other months go on meanwhile.
    EXECUTE format('CREATE TABLE %I (LIKE queries INCLUDING DEFAULTS)', partition);
    -- Rows of this month that came before its partition would forbid it.
    EXECUTE format(
      'WITH early AS (DELETE FROM queries_default WHERE started_at >= %L AND started_at < %L RETURNING *)'
      ' INSERT INTO %I SELECT * FROM early', range_from, range_to, partition);
    EXECUTE format('ALTER TABLE queries ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
      partition, range_from, range_to);
    made := made + 1;
  END LOOP;
  RETURN made;
END
$$;
--> statement-breakpoint
SELECT ensure_query_partitions(3);
