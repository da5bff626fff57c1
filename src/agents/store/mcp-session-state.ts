import { type RawBuilder, sql } from 'kysely'
import type { Unscoped } from '../../postgres/scope.js'
import { held, type ResourceVersion, SUBSCRIPTIONS_MAX } from './mcp-sessions.js'

/**
 * What changes about an MCP session of 2025: its subscriptions, the stream that delivers, what was cancelled, and what
 * its user has answered.
 */

/** Cancellations, and answers, that are remembered: they matter while the request runs, which is seconds. */
const REMEMBERED_MAX = 20

const kept = sql`(case jsonb_typeof(subscriptions) when 'object' then subscriptions else '{}'::jsonb end)`
const uris = sql`coalesce(${kept} -> 'uris', '{}'::jsonb)`

/** @returns false where the session has as many subscriptions as it may have, or has ended */
export async function subscribe(db: Unscoped, id_hash: Buffer, uri: string, mark: ResourceVersion): Promise<boolean> {
  const added = JSON.stringify({ [uri]: mark })
  const { numAffectedRows } = await sql`
    update mcp_sessions set subscriptions = jsonb_set(${kept}, '{uris}', ${uris} || ${added}::jsonb)
    where id_hash = ${id_hash}
      and (${uris} ? ${uri} or (select count(*) from jsonb_object_keys(${uris})) < ${SUBSCRIPTIONS_MAX})
    `.execute(held(db))
  return numAffectedRows === 1n
}

export async function unsubscribe(db: Unscoped, id_hash: Buffer, uri: string): Promise<void> {
  await sql`
    update mcp_sessions set subscriptions = ${kept} #- array['uris', ${uri}]
    where id_hash = ${id_hash}`.execute(held(db))
}

/** Makes a notification stream the one that delivers; with `free`, only where no other does. */
export async function takeStream(db: Unscoped, id_hash: Buffer, stream: string, free = false): Promise<void> {
  await sql`
    update mcp_sessions set subscriptions = ${kept} || ${JSON.stringify({ stream })}::jsonb
    where id_hash = ${id_hash} ${free ? sql`and ${kept} -> 'stream' is null` : sql``}`.execute(held(db))
}

/** @returns whether it was the one that delivered */
export async function leaveStream(db: Unscoped, id_hash: Buffer, stream: string): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update mcp_sessions set subscriptions = ${kept} - 'stream'
    where id_hash = ${id_hash} and ${kept} ->> 'stream' = ${stream}`.execute(held(db))
  return numAffectedRows === 1n
}

/** Notes that the client has cancelled a request, for the replica that works on it. */
export async function cancel(db: Unscoped, id_hash: Buffer, request: string): Promise<void> {
  await note(db, id_hash, 'cancelled', request, sql`clock_timestamp()::text`)
}

/** Notes what the client's user has answered, for the replica that asked. */
export async function answer(db: Unscoped, id_hash: Buffer, question: string, agreed: boolean): Promise<void> {
  await note(db, id_hash, 'answers', question, sql`${agreed}::boolean`)
}

async function note(
  db: Unscoped,
  id_hash: Buffer,
  part: 'cancelled' | 'answers',
  name: string,
  value: RawBuilder<unknown>
): Promise<void> {
  const noted = sql`coalesce(${kept} -> ${part}::text, '{}'::jsonb)`
  const full = sql`(select count(*) from jsonb_object_keys(${noted})) >= ${REMEMBERED_MAX}`
  await sql`
    update mcp_sessions set subscriptions = jsonb_set(${kept}, array[${part}::text],
      (case when ${full} then '{}'::jsonb else ${noted} end) || jsonb_build_object(${name}::text, ${value}))
    where id_hash = ${id_hash}`.execute(held(db))
}
