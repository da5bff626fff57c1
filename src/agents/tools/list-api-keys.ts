import { Type } from '@sinclair/typebox'
import { openCursor, pageOf, sealCursor, timeAndId } from '../../kernel/cursor.js'
import { defineTool } from '../../kernel/tool.js'
import * as apiKeys from '../store/api-keys.js'
import { keyFields, managedBy } from '../managed-keys.js'
import { Nullable, pageFields, Time } from '../../kernel/answer-shapes.js'
import { Cursor, input, Limit, output, Workspace } from '../../kernel/shapes.js'

const NAME = 'list_api_keys'

export const listApiKeys = defineTool({
  name: NAME,
  title: 'List API keys',
  description:
    'For admins: the API keys that were made for agents, newest first: whom each is for, what it may do, who made it ' +
    'and when it ends. Never the keys themselves.',
  permission: 'admin',
  effect: 'reads',
  commits: 'transaction',
  input: input({
    include_revoked: Type.Optional(
      Type.Boolean({ default: false, description: 'true: also those that were revoked or have expired' })
    ),
    workspace: Workspace(),
    limit: Limit(50, 200),
    cursor: Cursor
  }),
  output: output({
    keys: Type.Array(
      Type.Object({
        ...keyFields,
        created_by: Nullable(Type.String({ description: 'The agent that made it; null: the operator, by command' })),
        created_with: Nullable(
          Type.String({ description: 'The key_id which that agent had; null: none, but the shared key' })
        ),
        revoked_at: Nullable(Time)
      })
    ),
    ...pageFields
  }),
  audit: () => ({ event_type: 'api_keys_listed' }),
  async handler({ include_revoked = false, workspace, limit = 50, cursor }, { db, enterWorkspace, agent }) {
    const managed = managedBy(agent, workspace)
    await enterWorkspace(managed.workspace)
    const list = [NAME, managed.workspace, include_revoked]
    const place = cursor === undefined ? undefined : timeAndId(openCursor(list, cursor), 'string')
    const rows = await apiKeys.list(db, managed, {
      include_revoked,
      limit,
      after: place && { created_at: place.time, key_id: place.id }
    })
    const { items, ...page } = pageOf(rows, limit, ({ created_at, key_id }) => sealCursor(list, [created_at, key_id]))
    return { keys: items, ...page }
  }
})
