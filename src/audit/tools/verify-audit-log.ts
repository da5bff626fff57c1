import { Type } from '@sinclair/typebox'
import { numbersIn, openCursor, sealCursor } from '../../kernel/cursor.js'
import { OneOf } from '../../kernel/schema.js'
import { defineTool } from '../../kernel/tool.js'
import { verifyChain } from '../chain/verify.js'
import { Nullable, Time } from '../../kernel/answer-shapes.js'
import { Cursor, input, Limit, output } from '../../kernel/shapes.js'
import type { AuditKeys } from '../chain/keys.js'

/** Of one call; what is left has a cursor. */
const TIME_MS = 5000

const NAME = 'verify_audit_log'

export const verifyAuditLog = (keys: AuditKeys | undefined) =>
  defineTool({
    name: NAME,
    title: 'Verify the audit log',
    description:
      'For admins: recomputes the chain over the audit log and its signed heads, and names the ' +
      'first row that was altered, removed, moved or put in afterwards. A long log takes ' +
      'several calls, each with the next_cursor of the one before.',
    permission: 'admin',
    effect: 'reads',
    commits: 'transaction',
    input: input({ limit: Limit(100_000, 1_000_000, 1, 'How many rows to check at most'), cursor: Cursor }),
    output: output({
      state: OneOf(['intact', 'faulty', 'unfinished', 'off'], {
        description:
          'intact: all that is chained is as it was written. unfinished: so far; call again with ' +
          'next_cursor. faulty: see fault. off: the server has no key for a chain'
      }),
      fault: Type.Union([
        Type.Null(),
        Type.Object({
          kind: Type.String({
            description:
              'altered, missing, reordered or forged (put in afterwards) of a row; head or beginning ' +
              'of a signature that does not fit; key: signed with a key that the server does not have'
          }),
          seq: Nullable(Type.Integer({ description: 'The place in the chain' })),
          audit_id: Nullable(Type.Integer({ description: 'The id in get_audit_log, where one is known' })),
          explanation: Type.String()
        })
      ]),
      first_seq: Type.Integer({ description: 'Where the chain begins; above 1 once old rows have been dropped' }),
      last_seq: Type.Integer({ description: 'How far this call came' }),
      rows_checked: Type.Integer(),
      heads_checked: Type.Integer(),
      last_head: Type.Union([Type.Null(), Type.Object({ seq: Type.Integer(), signed_at: Time })]),
      not_yet_chained: Type.Integer({
        description: 'Rows too young to have a place in the chain; counted when the end is reached'
      }),
      has_more: Type.Boolean(),
      next_cursor: Nullable(Type.String())
    }),
    audit: (_input, { state, last_seq }) => ({ event_type: 'audit_verified', metadata: { state, last_seq } }),
    async handler({ limit = 100_000, cursor }, { db, agent }) {
      const place = cursor === undefined ? undefined : numbersIn(openCursor([NAME], cursor), 2)
      if (keys === undefined) {
        return {
          state: 'off' as const,
          fault: null,
          first_seq: 0,
          last_seq: 0,
          rows_checked: 0,
          heads_checked: 0,
          last_head: null,
          not_yet_chained: 0,
          has_more: false,
          next_cursor: null
        }
      }
      const { first_seq, to, is_done, rows, heads, last_head, not_yet_chained, fault } = await verifyChain(
        db,
        keys,
        agent.workspace,
        {
          from: place && { seq: place[0] as number, id: place[1] as number },
          rows_max: limit,
          time_ms: TIME_MS
        }
      )
      const has_more = fault === null && !is_done
      return {
        state: fault !== null ? ('faulty' as const) : is_done ? ('intact' as const) : ('unfinished' as const),
        fault,
        first_seq,
        last_seq: to.seq,
        rows_checked: rows,
        heads_checked: heads,
        last_head,
        not_yet_chained,
        has_more,
        next_cursor: has_more ? sealCursor([NAME], [to.seq, to.id]) : null
      }
    }
  })
