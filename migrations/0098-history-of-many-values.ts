import { type Kysely, type RawBuilder, sql } from 'kysely'

/**
 * What a trigger's statement does is planned once on each connection, mostly while there are few rows, and kept. The
 * plans of keep_memory_history then compared all values before an update with all after it, and looked for the end of a
 * history once for each version. These statements have but one plan: a hash, and a look into an index for each value.
 *
 * The trigger looks for ends of histories only if a value has expired or was written twenty times. `version` counts how
 * often a value was written.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await replace(db, {
    expired: sql`if exists (select from removed where expires_at <= clock_timestamp()) then
        delete from memory_history ${endOfHistory(sql`r.expires_at <= clock_timestamp()`, 0)};
      end if`,
    // A value whose version is still there was renewed, or has got another owner.
    replaced: sql`where (r.expires_at is null or r.expires_at > clock_timestamp())
        and (r.workspace, r.session_id, r.key, coalesce(r.revision, r.version)) not in (
          select a.workspace, a.session_id, a.key, coalesce(a.revision, a.version) from added a)`,
    many: sql`found and exists (select from removed where version > 19)`,
    beyond: endOfHistory(sql`r.version > 19`, 19),
    settings: sql`set enable_seqscan = off`
  })
}

export async function down(db: Kysely<unknown>): Promise<void> {
  const same = sql`h.workspace = r.workspace and h.agent_id = r.agent_id and h.session_id = r.session_id
          and h.key = r.key`
  await replace(db, {
    expired: sql`delete from memory_history h using removed r where r.expires_at <= clock_timestamp() and ${same}`,
    replaced: sql`join added a on a.workspace = r.workspace and a.agent_id = r.agent_id
        and a.session_id = r.session_id and a.key = r.key
      where a.revision is distinct from r.revision and (r.expires_at is null or r.expires_at > clock_timestamp())`,
    many: sql`found`,
    beyond: sql`h using removed r where ${same} and h.version < (
            select o.version from memory_history o where o.workspace = r.workspace and o.agent_id = r.agent_id
              and o.session_id = r.session_id and o.key = r.key order by o.version desc offset 18 limit 1)`,
    settings: sql``
  })
}

/** The older versions of values, without the newest of them. The history of a value changes under its lock alone. */
function endOfHistory(of: RawBuilder<unknown>, kept: number): RawBuilder<unknown> {
  return sql`where ctid = any(array(
          select h.ctid from removed r cross join lateral (
            select ctid from memory_history o where o.workspace = r.workspace and o.agent_id = r.agent_id
              and o.session_id = r.session_id and o.key = r.key order by o.version desc offset ${sql.lit(kept)}) h
          where ${of}))`
}

interface Parts {
  expired: RawBuilder<unknown>
  replaced: RawBuilder<unknown>
  many: RawBuilder<unknown>
  beyond: RawBuilder<unknown>
  settings: RawBuilder<unknown>
}

async function replace(db: Kysely<unknown>, { expired, replaced, many, beyond, settings }: Parts): Promise<void> {
  await sql`
    create or replace function keep_memory_history() returns trigger language plpgsql set search_path from current
      ${settings} as $$
    begin
      if not exists (select from removed) then return null; end if;
      if tg_op = 'DELETE' then
        delete from memory_history h using removed r where h.workspace = r.workspace and h.agent_id = r.agent_id
          and h.session_id = r.session_id and h.key = r.key;
        return null;
      end if;
      ${expired};
      insert into memory_history (workspace, agent_id, session_id, key, version, value, value_size, changed_by,
        changed_at)
      select r.workspace, r.agent_id, r.session_id, r.key, coalesce(r.revision, r.version), r.value, r.value_size,
        coalesce(r.updated_by, r.agent_id), r.updated_at
      from removed r ${replaced};
      if ${many} then
        -- Twenty versions with the current one.
        delete from memory_history ${beyond};
      end if;
      return null;
    end $$`.execute(db)
}
