import { INTO_AUDIT_LOG } from '../../audit/store/rows.js'
import { isAdmin } from '../../kernel/agent.js'
import type { Quotas } from '../../limits/quotas.js'
import type { Receipt } from '../../kernel/receipt.js'
import type { Written } from './messages.js'
import type { Resolved, Sending } from './reached.js'
import type { Db } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { VISIBLE_TO_WRITER } from '../../visibility/visibility.js'

/** One call's messages: all of them are written or none. */
export interface MessagesRequest extends Receipt, Sending {}

/** The same, when it is known whom they reach. */
export type ResolvedRequest = Omit<MessagesRequest, 'drafts'> & Resolved

/**
 * What became of a request: written; its key was there before; its session's row is locked by somebody; its session
 * would have too many messages or bytes; or refused: the session does not exist, is closed, or belongs to two other
 * agents, or the sender cannot see the parent.
 */
export type Outcome = Written[] | 'repeated' | 'busy' | 'too_many' | 'too_large' | 'refused'

/**
 * Many calls in one statement, which commits by itself: checks, seq, messages, what waits for the search index, audit
 * rows and idempotency keys. The sessions' rows are locked in the order of their ids, so that the batches of two
 * replicas cannot wait for each other crosswise; under these locks seq is gap-free and in the order in which changes
 * become visible. The batch skips a session that another transaction has locked; the waiting batch waits for it.
 *
 * Quotas are held exactly, by what the locked row says: of the requests for one session, in their order, those fit with
 * which it stays within them. A request that does not fit counts against those behind it in the same batch.
 *
 * A key that another call takes at this very moment makes the statement fail as a whole with a unique violation.
 */
const batch = (locking: '' | 'skip locked') => `
  with request as materialized (
    select * from json_to_recordset($2) as q (r int, session_id text, sender text, sender_type text, is_admin boolean,
      event_type text, action text, result text, request_id text, audit_metadata jsonb, key text, request_hash text,
      reached jsonb)
  ), draft as materialized (
    select q.r, q.session_id, q.sender, q.sender_type, q.is_admin, d.n, d.content, d.metadata, d.parent_message_id,
      d.payload, case when pair.names is null then d.visibility else 'direct' end as visibility,
      coalesce(pair.names, d.addressees, '{}') as addressees, d.names || pair.names as names
    from json_to_recordset($3) as d (r int, n int, content text, visibility text, metadata jsonb,
      parent_message_id bigint, addressees text[], payload json, names text[])
    join request q on q.r = d.r
    left join lateral (
      -- In a session of two agents, a public message becomes direct, to the other agent.
      select array_remove(s.between_agents, case when q.sender = any(s.between_agents) then q.sender
        else 'type:' || q.sender_type end) as names
      from sessions s where s.workspace = $1 and s.id = q.session_id and s.between_agents is not null
        and d.visibility = 'public') pair on true
  ), repeated as materialized (
    select q.r from request q where q.key is not null
      and exists (select from idempotency_keys k where k.workspace = $1 and k.agent_id = q.sender and k.key = q.key)
  ), refused as materialized (
    -- "offset 0": it is looked up by its id. Without statistics the planner would read the whole session.
    select d.r from draft d where d.parent_message_id is not null and not exists (
      select from (select * from messages m where m.workspace = $1 and m.id = d.parent_message_id offset 0) m
      where m.session_id = d.session_id and ${VISIBLE_TO_WRITER})
    union
    -- Somebody else writes into a session of two agents.
    select q.r from request q join sessions s on s.workspace = $1 and s.id = q.session_id
    where not q.is_admin and not s.between_agents && array[q.sender, 'type:' || q.sender_type]
  ), wanted as materialized (
    select d.r, d.session_id, count(*) as n, count(*) filter (where d.visibility = 'public') as published,
      sum(octet_length(d.content) + pg_column_size(d.metadata) + coalesce(octet_length(d.payload::text), 0)) as bytes
    from draft d
    where d.r not in (select r from repeated) and d.r not in (select r from refused) group by d.r, d.session_id
  ), locked as materialized (
    select s.id, s.last_seq, s.content_bytes from sessions s
    where s.workspace = $1 and s.id in (select session_id from wanted) and s.is_active
    order by s.id for no key update ${locking}
  ), measured as materialized (
    select w.*, locked.last_seq + sum(w.n) over before as seq_after,
      locked.content_bytes + sum(w.bytes) over before as bytes_after
    from wanted w join locked on locked.id = w.session_id window before as (partition by w.session_id order by w.r)
  ), fitting as materialized (
    select * from measured where seq_after <= $4 and bytes_after <= $5
  ), session as (
    update sessions s set last_seq = s.last_seq + f.n, public_count = s.public_count + f.published,
      content_bytes = s.content_bytes + f.bytes, last_message_at = clock_timestamp()
    from (
      select session_id, sum(n)::bigint as n, sum(published)::bigint as published, sum(bytes)::bigint as bytes
      from fitting group by session_id
    ) f
    where s.workspace = $1 and s.id = f.session_id
    returning s.id, s.last_seq - f.n as head
  ), numbered as materialized (
    select d.*, session.head + row_number() over (partition by d.session_id order by d.r, d.n) as seq
    from draft d join session on session.id = d.session_id
    where d.r in (select r from fitting)
  ), written as (
    insert into messages (workspace, session_id, seq, sender, sender_type, content, visibility, metadata,
      parent_message_id, addressees, payload)
    select $1, session_id, seq, sender, sender_type, content, visibility, metadata, parent_message_id, addressees,
      payload
    from numbered order by r, n
    returning id, session_id, seq, timestamp
  ), to_index as (
    insert into search_pending (workspace, session_id, message_id) select $1, session_id, id from written
  ), placed as materialized (
    select numbered.r, numbered.names, numbered.visibility, numbered.sender, written.*
    from written join numbered on numbered.session_id = written.session_id and numbered.seq = written.seq
  ), reached as (
    insert into inbox (workspace, message_id, name, session_id, seq, sender, direct)
    select distinct $1, placed.id, name, placed.session_id, placed.seq, placed.sender, placed.visibility = 'direct'
    from placed, unnest(placed.names) name
  ), audited as (
    insert into ${INTO_AUDIT_LOG}
    select $1, q.event_type, q.sender, q.session_id, q.action, 'message:' || placed.id, q.result, q.request_id,
      q.audit_metadata
    from placed join request q on q.r = placed.r order by placed.id
  ), kept as (
    insert into idempotency_keys (workspace, agent_id, key, request_hash, answer)
    select $1, q.sender, q.key, decode(q.request_hash, 'hex'), jsonb_set(jsonb_agg(jsonb_build_object(
      'id', placed.id, 'seq', placed.seq,
      'timestamp', to_char(placed.timestamp at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by placed.seq),
      '{0,reached}', coalesce(q.reached, '{}'))
    from placed join request q on q.r = placed.r where q.key is not null
    group by q.r, q.sender, q.key, q.request_hash, q.reached
  )
  select r, 'written' as outcome, id, seq, timestamp, names from placed
  union all select r, 'repeated', null, null, null, null from repeated
  union all select r, case when seq_after > $4 then 'too_many' else 'too_large' end, null, null, null, null
    from measured where r not in (select r from fitting)
  union all select q.r, 'busy', null, null, null, null
    from request q join sessions s on s.workspace = $1 and s.id = q.session_id
    where s.is_active and q.session_id in (select session_id from wanted)
      and q.session_id not in (select id from locked)
  order by seq`

type Values = [workspace: string, requests: string, drafts: string, session_messages: number, session_bytes: number]

const writePassing = defineStatement<Values, Row>('messages.batch', batch('skip locked'))
const writeWaiting = defineStatement<Values, Row>('messages.batch_waiting', batch(''))

interface Row {
  r: number
  outcome: 'written' | 'repeated' | 'busy' | 'too_many' | 'too_large'
  id: number
  seq: number
  timestamp: string
  names: string[] | null
}

/**
 * Writes the requests of one workspace; every outcome in the place of its request.
 * @param waits whether to wait for sessions that somebody else has locked; else those are `busy`
 */
export async function writeBatch(
  db: Db,
  workspace: string,
  requests: readonly ResolvedRequest[],
  quotas: Quotas,
  waits: boolean
): Promise<Outcome[]> {
  const write = waits ? writeWaiting : writePassing
  const rows = await write(db, [
    workspace,
    JSON.stringify(
      requests.map(({ sender, session_id, audit, idempotencyKey: once, reached }, r) => ({
        r,
        session_id,
        sender: sender.agent_id,
        sender_type: sender.agent_type,
        is_admin: isAdmin(sender),
        event_type: audit.event_type,
        action: audit.action,
        result: audit.result,
        request_id: audit.request_id,
        audit_metadata: audit.metadata,
        key: once?.key,
        request_hash: once?.request_hash.toString('hex'),
        reached: once && reached
      }))
    ),
    JSON.stringify(requests.flatMap(({ drafts }, r) => drafts.map((draft, n) => ({ r, n, ...draft })))),
    quotas.session_messages || Number.MAX_SAFE_INTEGER,
    quotas.session_bytes || Number.MAX_SAFE_INTEGER
  ])
  const outcomes: Outcome[] = requests.map(() => 'refused')
  for (const { r, outcome, id, seq, timestamp, names } of rows) {
    const of = outcomes[r]
    if (outcome !== 'written') outcomes[r] = outcome
    else if (Array.isArray(of)) of.push({ id, seq, timestamp, names })
    else outcomes[r] = [{ id, seq, timestamp, names, reached: requests[r]?.reached }]
  }
  return outcomes
}
