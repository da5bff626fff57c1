import { createHash } from 'node:crypto'
import { type Agent, DEFAULT_WORKSPACE } from './agent.js'
import { auditRow } from './audit-row.js'
import type { Caller } from './caller.js'
import type { Topic } from './events.js'
import type { Executor } from './executor.js'
import { canonicalJson } from './json.js'
import type { Kernel } from './kernel.js'
import type { IdempotencyKey, Receipt } from './receipt.js'
import type { Tool, ToolContext } from './tool.js'

type Input = Record<string, unknown>
type Output = Record<string, unknown>

/**
 * Runs a tool's handler, and commits the audit row and the idempotency key together with its rows.
 * @param audited what the audit row says of the arguments, beyond what the tool says
 * @throws whatever the handler throws
 */
export async function execute(
  tool: Tool,
  input: Input,
  idempotency_key: string | undefined,
  agent: Agent | null,
  caller: Caller,
  kernel: Kernel,
  audited: Record<string, unknown> = {}
): Promise<Output> {
  const { ports } = kernel
  const auditMetadata: Record<string, unknown> = { ...audited }
  const key = idempotency_key === undefined || agent === null ? undefined : keyOf(idempotency_key, tool, input, agent)
  let workspace = agent?.workspace
  let repeated = false
  let alsoAffected: readonly Topic[] = []

  const contextOn = (db: Executor): ToolContext => ({
    agent: agent as Agent,
    db,
    async enterWorkspace(into) {
      await ports.enterWorkspace(db, into)
      workspace = into
    },
    caller,
    get receipt(): Receipt {
      if (tool.commits !== 'batch') throw new Error(`${tool.name} commits no batch.`)
      const fields = tool.audit(input)
      const metadata = { ...fields.metadata, ...audited }
      const audit = auditRow({ ...fields, metadata }, tool.name, agent, caller)
      return { audit, idempotencyKey: key, onRepeat: () => (repeated = true) }
    },
    auditMetadata,
    alsoAffects(topics) {
      alsoAffected = topics
    }
  })

  const inTransaction = async (tx: Executor): Promise<Output> => {
    // A transaction that is repeated begins anew.
    workspace = agent?.workspace
    const context = contextOn(tx)
    const output = await tool.handler(input, context)
    if (tool.commits !== 'transaction') return output
    const fields = tool.audit(input, output)
    if (workspace === undefined) await context.enterWorkspace(DEFAULT_WORKSPACE)
    const row = auditRow({ ...fields, metadata: { ...fields.metadata, ...auditMetadata } }, tool.name, agent, caller)
    await ports.writeAuditRow(tx, { ...row, workspace: workspace as string })
    return output
  }

  // Everything has been committed by now. A hint that came earlier would make others read too early.
  const committed = (output: Output): Output => {
    if (tool.affectedTopics !== undefined && !repeated)
      ports.publish([...tool.affectedTopics(input, output, { agent, caller }), ...alsoAffected])
    return output
  }

  if (key !== undefined && tool.commits !== 'batch') {
    const answer = await ports.transaction(agent?.workspace, async tx => {
      const first = await ports.claimIdempotencyKey(tx, key)
      repeated = first !== undefined
      if (first !== undefined) return first
      const output = await inTransaction(tx)
      // The key is the caller's, whichever workspace the tool has entered.
      if (workspace !== key.workspace) await ports.enterWorkspace(tx, key.workspace)
      await ports.storeFirstAnswer(tx, key, output)
      return output
    })
    return committed(answer)
  }
  if (tool.commits === 'transaction' && tool.onlyReads?.(input) !== true)
    return committed(await ports.transaction(agent?.workspace, inTransaction))
  return committed(await tool.handler(input, contextOn(ports.executorFor(agent?.workspace))))
}

/** What makes two requests the same. The caller's rights count: an answer may hold what only they may see. */
function keyOf(
  key: string,
  tool: Tool,
  input: Input,
  { workspace, agent_id, agent_type, permissions, sessions }: Agent
): IdempotencyKey {
  const rights = [agent_type, permissions, ...(sessions === undefined ? [] : [[...sessions].sort()])]
  const request_hash = createHash('sha256')
    .update(canonicalJson([tool.name, ...rights, input]))
    .digest()
  return { workspace, agent_id, key, request_hash }
}
