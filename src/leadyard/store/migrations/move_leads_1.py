"""The text of store/move_statements.py when the first migration was written; a test compares the two.

A change there needs a new function with another name, in another migration.
"""

MOVE_LEADS_1 = """CREATE FUNCTION move_leads_1(_account_group_id integer, _number integer, _attempt bigint,
    _source bigint, _target bigint, _lead_ids bigint[], _lead_count integer, _now bigint, _api_key_id bigint)
RETURNS TABLE (id bigint, name text, type text, description text, folder_id bigint, prospect_count bigint,
    created_at bigint, changed_at bigint, move_id bigint, already_in_target_count integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    _found integer; _last_change bigint; _source_count bigint; _target_count bigint; _changed integer;
    _already integer := 0; _move_id bigint;
    _moved_ids bigint[]; _gone_ids bigint[]; _gone_at bigint[]; _left_at bigint[]; _entered_at bigint[];
    _source_number integer := _source & 2097151; _target_number integer := _target & 2097151;
BEGIN
    SELECT count(*), max(locked.changed_at), max(CASE WHEN locked.id = _source THEN locked.prospect_count END),
        max(CASE WHEN locked.id = _target THEN locked.prospect_count END)
        INTO _found, _last_change, _source_count, _target_count FROM (
        SELECT id, changed_at, prospect_count FROM audiences WHERE account_group_id = _account_group_id AND
            id IN (_source, _target) AND deleted_at IS NULL ORDER BY id FOR UPDATE) AS locked;
    IF _found < 2 OR EXISTS (
        SELECT id FROM jobs WHERE account_group_id = _account_group_id AND audience_id IN (_source, _target) AND
            status IN ('queued', 'running') UNION ALL SELECT id FROM jobs WHERE account_group_id = _account_group_id
            AND second_audience_id IN (_source, _target) AND status IN ('queued', 'running') LIMIT 1) THEN
        RETURN;
    END IF;
    _now := greatest(_now, _last_change + 1);
    _move_id := _now << 21 | _number;
    WITH moved AS (UPDATE memberships SET audience_id = _target_number, added_at = CAST(_now AS bigint),
        previous_added_at = added_at WHERE account_group_id = _account_group_id AND lead_id = ANY(CAST(_lead_ids AS
        bigint[])) AND audience_id + 0 = _source_number AND NOT EXISTS (SELECT 1 FROM memberships t WHERE
        t.account_group_id = _account_group_id AND t.audience_id = _target_number AND t.lead_id =
        memberships.lead_id LIMIT 1 OFFSET 0) RETURNING lead_id, previous_added_at) SELECT count(*) AS changed,
        array_agg(lead_id) AS moved_ids, array_agg(previous_added_at) AS left_at FROM moved INTO _changed,
        _moved_ids, _left_at;
    IF _changed < _lead_count THEN
        WITH gone AS (DELETE FROM memberships WHERE account_group_id = _account_group_id AND lead_id =
            ANY(CAST(_lead_ids AS bigint[])) AND audience_id + 0 = _source_number RETURNING lead_id, added_at)
            SELECT count(*) AS already, array_agg(lead_id) AS gone_ids, array_agg(added_at) AS gone_at FROM gone
            INTO _already, _gone_ids, _gone_at;
        IF _changed + _already < _lead_count THEN
            RAISE EXCEPTION 'not all leads are in the source: nothing is moved';
        END IF;
        _entered_at := array_fill(_now, ARRAY[_changed]) || array_fill(CAST(NULL AS bigint), ARRAY[_already]);
    END IF;
    IF _moved_ids IS DISTINCT FROM _lead_ids THEN
        SELECT array_agg(z.left_at ORDER BY z.n), CASE WHEN _already > 0 THEN
        array_agg(z.entered_at ORDER BY z.n) END INTO _left_at, _entered_at FROM unnest(
        (SELECT array_agg(u.n ORDER BY u.lead_id) FROM unnest(_lead_ids) WITH ORDINALITY AS u(lead_id, n)),
        (SELECT array_agg(u.left_at ORDER BY u.lead_id) FROM unnest(_moved_ids || _gone_ids, _left_at || _gone_at)
            AS u(lead_id, left_at)),
        (SELECT array_agg(u.entered_at ORDER BY u.lead_id) FROM unnest(_moved_ids || _gone_ids, _entered_at)
            AS u(lead_id, entered_at))) AS z(n, left_at, entered_at);
    END IF;
    INSERT INTO changes (account_group_id, id, kind, attempt, source_audience_id, target_audience_id, lead_count,
        already_in_target_count, changed_at, api_key_id, lead_ids, left_at, entered_at) VALUES (_account_group_id,
        _move_id, 'move', _attempt, _source, _target, _lead_count, CAST(_already AS integer), _now, _api_key_id,
        CAST(_lead_ids AS bigint[]), CAST(_left_at AS bigint[]), CAST(_entered_at AS bigint[]));
    _source_count := _source_count - _lead_count;
    _target_count := _target_count + _changed;
    INSERT INTO event_outbox (account_group_id, id, type, occurred_at, source_audience_id, target_audience_id,
        source_count, target_count, change_id, first_lead) VALUES (_account_group_id, _move_id, 'leads.moved', _now,
        _source, _target, _source_count, _target_count, _move_id, 0);
    RETURN QUERY UPDATE audiences SET changed_at = _now, prospect_count = prospect_count + CASE WHEN id = _source
        THEN -CAST(_lead_count AS integer) ELSE CAST(_changed AS integer) END WHERE account_group_id =
        _account_group_id AND id IN (_source, _target) RETURNING id, name, type, description, folder_id,
        prospect_count, created_at, changed_at, _move_id AS move_id, CAST(_already AS integer) AS
        already_in_target_count;
END $$"""
