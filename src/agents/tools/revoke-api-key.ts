import { Type } from '@sinclair/typebox'
import { defineTool } from '../../kernel/tool.js'
import * as apiKeys from '../store/api-keys.js'
import { managedBy } from '../managed-keys.js'
import { IdempotencyKey, input, KeyId, output, Workspace } from '../../kernel/shapes.js'

export const revokeApiKey = defineTool({
  name: 'revoke_api_key',
  title: 'Revoke an API key',
  description:
    'For admins: end an API key before its time, and with it every token that was made with it and whatever is open ' +
    'under these. Every replica refuses it within 2 seconds. Keys that were made with it stay.',
  permission: 'admin',
  effect: 'replaces',
  repeatable: true,
  commits: 'transaction',
  input: input({ key_id: KeyId, workspace: Workspace(), idempotency_key: IdempotencyKey }),
  output: output({
    key_id: Type.String(),
    revoked: Type.Boolean({ description: 'false: it had been revoked before' })
  }),
  audit: ({ key_id }, { revoked }) => ({
    event_type: 'api_key_revoked',
    resource: `api_key:${key_id}`,
    metadata: { revoked }
  }),
  async handler({ key_id, workspace }, { db, enterWorkspace, agent }) {
    const managed = managedBy(agent, workspace)
    await enterWorkspace(managed.workspace)
    return { key_id, revoked: await apiKeys.revoke(db, managed, key_id) }
  }
})
