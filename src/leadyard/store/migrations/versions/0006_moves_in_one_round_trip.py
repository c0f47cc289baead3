"""The move is a function of PostgreSQL, and a count that changes leaves every index of its audience alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

# As store/moving.py made it when this migration was written; a test holds the two together. A change there is a new
# function of another name in another migration.
MOVE_LEADS_1 = """CREATE FUNCTION move_leads_1(_account_group_id text, _token text, _source text,
    _target text, _lead_ids text[], _lead_count integer, _now bigint, _api_key_id text)
RETURNS TABLE (id text, name text, type text, description text, folder_id text, prospect_count bigint,
    created_at bigint, changed_at bigint, move_id text, already_in_target_count integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    _found integer; _last_change bigint; _changed integer; _already integer := 0; _move_id text;
BEGIN
    SELECT count(*), max(locked.changed_at) INTO _found, _last_change FROM (
        SELECT id, changed_at FROM audiences WHERE account_group_id = _account_group_id AND id IN (_source, _target)
            AND deleted_at IS NULL ORDER BY id FOR UPDATE) AS locked;
    IF _found < 2 OR EXISTS (
        SELECT id FROM jobs WHERE account_group_id = _account_group_id AND audience_id IN (_source, _target) AND
            status IN ('queued', 'running') LIMIT 1) THEN
        RETURN;
    END IF;
    _now := greatest(_now, _last_change + 1);
    _move_id := lpad(to_hex(_now), 12, '0') || _token;
    UPDATE memberships SET audience_id = _target, added_at = CAST(_now AS bigint) WHERE account_group_id =
        _account_group_id AND lead_id = ANY(CAST(_lead_ids AS text[])) AND audience_id || '' = _source AND NOT EXISTS
        (SELECT 1 FROM memberships t WHERE t.account_group_id = _account_group_id AND t.audience_id = _target AND
        t.lead_id = memberships.lead_id LIMIT 1 OFFSET 0);
    GET DIAGNOSTICS _changed = ROW_COUNT;
    IF _changed < _lead_count THEN
        DELETE FROM memberships WHERE account_group_id = _account_group_id AND lead_id = ANY(CAST(_lead_ids AS
            text[])) AND audience_id || '' = _source;
        GET DIAGNOSTICS _already = ROW_COUNT;
        IF _changed + _already < _lead_count THEN
            RAISE EXCEPTION 'not all leads are in the source: nothing is moved';
        END IF;
    END IF;
    INSERT INTO moves (account_group_id, id, source_audience_id, target_audience_id, lead_ids, moved_count,
        already_in_target_count, moved_at, api_key_id) VALUES (_account_group_id, _move_id, _source, _target,
        CAST(_lead_ids AS text[]), _lead_count, CAST(_already AS integer), _now, _api_key_id);
    RETURN QUERY UPDATE audiences SET changed_at = _now, prospect_count = prospect_count + CASE WHEN id = _source THEN
        -CAST(_lead_count AS integer) ELSE CAST(_changed AS integer) END WHERE account_group_id = _account_group_id
        AND id IN (_source, _target) RETURNING id, name, type, description, folder_id, prospect_count, created_at,
        changed_at, _move_id AS move_id, CAST(_already AS integer) AS already_in_target_count;
END $$"""


def upgrade() -> None:
    op.add_column("audiences", sa.Column("emptied_at", sa.BigInteger(), nullable=True))
    op.execute("UPDATE audiences SET emptied_at = deleted_at WHERE deleted_at IS NOT NULL AND prospect_count = 0")
    # The count was part of the old one's condition. PostgreSQL therefore took every move for a change of the index, and
    # wrote new entries into all indexes of both audiences, where it can otherwise replace the row within its page.
    op.drop_index("audiences_to_empty_idx", "audiences")
    op.create_index(
        "audiences_to_empty_idx",
        "audiences",
        ["account_group_id", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NOT NULL AND emptied_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NOT NULL AND emptied_at IS NULL"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql(MOVE_LEADS_1)
