-- The same nouns as Leadyard's, written by hand as for PostGraphile. No tenants, no keys.
CREATE SCHEMA app;

CREATE TABLE app.audiences (
  id integer PRIMARY KEY,
  name text NOT NULL,
  lead_count integer NOT NULL DEFAULT 0 CHECK (lead_count >= 0)
);
CREATE TABLE app.leads (
  id integer PRIMARY KEY,
  email text NOT NULL UNIQUE
);
CREATE TABLE app.memberships (
  audience_id integer NOT NULL REFERENCES app.audiences,
  lead_id integer NOT NULL REFERENCES app.leads,
  added_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (audience_id, lead_id)
);
CREATE INDEX ON app.memberships (lead_id);
CREATE TABLE app.moves (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source_id integer NOT NULL REFERENCES app.audiences,
  target_id integer NOT NULL REFERENCES app.audiences,
  lead_ids integer[] NOT NULL,
  moved_count integer NOT NULL,
  already_in_target_count integer NOT NULL,
  moved_at timestamptz NOT NULL DEFAULT now()
);

CREATE TYPE app.move_result AS (move_id bigint, moved_count integer, source_count integer, target_count integer);

-- All or nothing: an exception rolls back the one statement that calls it.
CREATE FUNCTION app.move_leads(source integer, target integer, leads integer[]) RETURNS app.move_result
LANGUAGE plpgsql AS $$
DECLARE
  listed integer[] := ARRAY(SELECT DISTINCT unnest(leads));
  already integer;
  changed integer;
  result app.move_result;
BEGIN
  IF source = target THEN
    RAISE EXCEPTION 'SAME_AUDIENCE';
  END IF;
  IF cardinality(listed) NOT BETWEEN 1 AND 10000 THEN
    RAISE EXCEPTION 'VALIDATION_ERROR';
  END IF;
  -- Both audiences in the order of their ids, so that opposite moves wait instead of deadlocking.
  PERFORM FROM app.audiences WHERE id IN (source, target) ORDER BY id FOR NO KEY UPDATE;
  DELETE FROM app.memberships m WHERE audience_id = source AND lead_id = ANY (listed)
    AND EXISTS (SELECT FROM app.memberships t WHERE t.audience_id = target AND t.lead_id = m.lead_id);
  GET DIAGNOSTICS already = ROW_COUNT;
  UPDATE app.memberships SET audience_id = target, added_at = now()
    WHERE audience_id = source AND lead_id = ANY (listed);
  GET DIAGNOSTICS changed = ROW_COUNT;
  IF already + changed < cardinality(listed) THEN
    RAISE EXCEPTION 'LEADS_NOT_IN_SOURCE';
  END IF;
  UPDATE app.audiences SET lead_count = lead_count - already - changed WHERE id = source
    RETURNING lead_count INTO result.source_count;
  UPDATE app.audiences SET lead_count = lead_count + changed WHERE id = target
    RETURNING lead_count INTO result.target_count;
  result.moved_count := already + changed;
  INSERT INTO app.moves (source_id, target_id, lead_ids, moved_count, already_in_target_count)
    VALUES (source, target, listed, result.moved_count, already) RETURNING id INTO result.move_id;
  RETURN result;
END $$;
