import { Type } from '@sinclair/typebox'

/** Most days that can be set: a century. */
export const RETENTION_DAYS_MAX = 36_500

export const retentionFields = {
  days: Type.Integer({ description: 'Days that messages and closed sessions are kept; 0: for ever' }),
  source: Type.Unsafe<'workspace' | 'server'>({ type: 'string', enum: ['workspace', 'server'], description: 'Whether the workspace has a setting of its own, or follows the server\'s' }),
  server_days: Type.Integer({ description: 'The server\'s own setting' })
}
