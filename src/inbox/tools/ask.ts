import { Type } from '@sinclair/typebox'
import { refuseLongWait } from '../../feed/wait-until.js'
import type { Agent } from '../../kernel/agent.js'
import { Message } from '../../kernel/answer-shapes.js'
import { sessionTopic, type Topic } from '../../kernel/events.js'
import { Addressee, Content, contentRule, Payload } from '../../kernel/message-shapes.js'
import { IdempotencyKey, input, OptionalSessionId, output } from '../../kernel/shapes.js'
import type { Receipt } from '../../kernel/receipt.js'
import { NamesAgent } from '../../kernel/schema.js'
import { defineTool } from '../../kernel/tool.js'
import { needWholeWorkspace } from '../../agents/whole-workspace.js'
import { write as writeAuditRow } from '../../audit/store/rows.js'
import type { WaitDeps } from '../../feed/wait.js'
import type { Quotas } from '../../limits/quotas.js'
import { draftOf } from '../../messages/draft.js'
import { reachedFields } from '../../messages/reached-fields.js'
import type { MessageWriter } from '../../messages/store/message-writer.js'
import type { Written } from '../../messages/store/messages.js'
import { inWorkspace, transact, type Unscoped } from '../../postgres/scope.js'
import { TIMEOUT_DEFAULT, TimeoutSeconds } from '../inbox-shapes.js'
import { waitForReply } from '../reply-wait.js'
import { findPairSession, pairSession } from '../store/pair-sessions.js'

export interface AskDeps extends WaitDeps {
  database: Unscoped
  writer: MessageWriter
  quotas: Quotas
  /** Tells the replicas at once: the call goes on waiting. */
  publish: (topics: readonly Topic[]) => void
}

export const replyFields = {
  reply: { ...Type.Union([Message, Type.Null()]), description: 'The first answer; null if there is none yet' },
  timed_out: Type.Boolean({
    description: 'true: no answer came in time: wait_for_reply goes on. false without a reply: the session is closed'
  })
}

export const ask = (deps: AskDeps) =>
  defineTool({
    name: 'ask',
    title: 'Ask and wait for the answer',
    description:
      'Write a message to one agent and wait for its answer. Without session_id only you two and admins see it.',
    permission: 'write',
    effect: 'adds',
    commits: 'batch',
    input: input(
      {
        to: { ...Addressee, description: 'An agent_id or type:<agent_type>', [NamesAgent]: true },
        content: Content,
        session_id: OptionalSessionId('one of you two alone'),
        payload: Payload,
        timeout_seconds: TimeoutSeconds,
        idempotency_key: IdempotencyKey
      },
      contentRule
    ),
    output: output({
      message_id: Type.Integer(),
      session_id: Type.String(),
      ...replyFields,
      ...reachedFields
    }),
    audit: ({ session_id }) => ({ event_type: 'message_added', session_id }),
    waits_ms: ({ timeout_seconds = TIMEOUT_DEFAULT }) => timeout_seconds * 1000,
    async handler({ to, content, payload, timeout_seconds = TIMEOUT_DEFAULT, ...given }, context) {
      const { agent, caller, receipt } = context
      refuseLongWait(caller, timeout_seconds, 'timeout_seconds')
      const visibility = given.session_id === undefined ? 'direct' : 'public'
      const draft = draftOf(agent, { content, payload, to: [to], visibility })
      const session_id = given.session_id ?? (await sessionWith(deps, agent, to, receipt))
      const of = { ...receipt, audit: { ...receipt.audit, session_id } }
      const [written] = await deps.writer.write({ sender: agent, session_id, drafts: [draft], ...of })
      const { id, seq, reached } = written as Written
      deps.publish([sessionTopic(agent.workspace, session_id)])
      const question = { id, session_id, seq, to: reached?.addressed?.map(({ agent_id }) => agent_id) ?? [to] }
      const { reply, timed_out } = await waitForReply(question, timeout_seconds, context, deps)
      return { message_id: id, session_id, reply, timed_out, ...reached }
    }
  })

/** @throws AppError PERMISSION_DENIED for an agent that is limited to sessions; QUOTA_EXCEEDED */
async function sessionWith(
  { database, quotas, publish }: AskDeps,
  agent: Agent,
  to: string,
  { audit }: Receipt
): Promise<string> {
  needWholeWorkspace(agent)
  const known = await findPairSession(inWorkspace(database, agent.workspace), agent, to)
  if (known !== undefined) return known
  const { session_id } = await transact(inWorkspace(database, agent.workspace), async tx => {
    const session = await pairSession(tx, agent, to, quotas)
    if (session.made) {
      const resource = `session:${session.session_id}`
      await writeAuditRow(tx, { ...audit, event_type: 'session_created', session_id: session.session_id, resource })
    }
    return session
  })
  publish([sessionTopic(agent.workspace, session_id)])
  return session_id
}
