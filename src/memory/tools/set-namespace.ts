import { Type } from '@sinclair/typebox'
import { needWholeWorkspace } from '../../agents/whole-workspace.js'
import { AGENT_ID_MAX } from '../../kernel/agent.js'
import { namesAgents } from '../../kernel/message-shapes.js'
import { Allowed, Checked, OnPage, Repair } from '../../kernel/schema.js'
import { IdempotencyKey, input, NAME_PATTERN, output } from '../../kernel/shapes.js'
import { composed } from '../../kernel/text.js'
import { defineTool } from '../../kernel/tool.js'
import type { Quotas } from '../../limits/quotas.js'
import { refuseMuchMemory } from '../../limits/store/usage.js'
import { Namespace, pathOf } from '../namespace.js'
import { setRights } from '../store/namespaces.js'

const NAMES_MAX = 100

const Name = Checked<string>(
  {
    type: 'string',
    minLength: 1,
    maxLength: AGENT_ID_MAX,
    description: 'An agent_id, type:<agent_type>, or * for every agent'
  },
  namesAgents,
  {
    [OnPage]: { pattern: NAME_PATTERN },
    [Repair]: value => (typeof value === 'string' ? composed(value) : value),
    [Allowed]: `an agent_id, type: and an agent_type, or *, of at most ${AGENT_ID_MAX} characters`
  }
)

const names = (description: string) => Type.Array(Name, { maxItems: NAMES_MAX, description })

export const setNamespace = (quotas: Quotas) =>
  defineTool({
    name: 'set_namespace',
    title: 'Say who shares a namespace',
    description:
      'Say who may read and who may write a namespace of memory, and all below it. Makes it, owned by you, if it is ' +
      'not there. Replaces both lists. For its owner and admins.',
    permission: 'write',
    effect: 'replaces',
    repeatable: true,
    commits: 'transaction',
    input: input({
      namespace: Namespace('Such as team/plans'),
      readers: names('Who may read: each an agent_id, type:<agent_type>, or *'),
      writers: names('Who may read and write'),
      idempotency_key: IdempotencyKey
    }),
    output: output({
      namespace: Type.String(),
      owner: Type.String(),
      readers: Type.Array(Type.String()),
      writers: Type.Array(Type.String()),
      created: Type.Boolean()
    }),
    audit: ({ namespace, readers, writers }, { created }) => ({
      event_type: 'namespace_set',
      resource: `namespace:${namespace}`,
      metadata: { readers, writers, created }
    }),
    async handler({ namespace, readers: mayRead, writers: mayWrite }, { db, agent }) {
      needWholeWorkspace(agent)
      const [readers, writers] = [mayRead, mayWrite].map(list => [...new Set(list.map(composed))]) as [
        string[],
        string[]
      ]
      const { owner, created } = await setRights(db, agent, pathOf(namespace), readers, writers)
      await refuseMuchMemory(db, { workspace: agent.workspace, agent_id: owner }, quotas)
      return { namespace, owner, readers, writers, created }
    }
  })
