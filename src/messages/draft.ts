import { Type } from '@sinclair/typebox'
import { type Agent, isAdmin } from '../kernel/agent.js'
import { AppError } from '../kernel/errors.js'
import type { Visibility } from '../kernel/visibilities.js'
import { Content, MessageRef, Metadata, VisibilityWord } from '../kernel/shapes.js'

/** What a message to be written is made of. */
export const draftFields = {
  content: Content,
  visibility: Type.Optional(VisibilityWord('Who may read it', 'public')),
  metadata: Metadata(),
  parent_message_id: Type.Optional(MessageRef('The message of the same session that this one answers'))
}

/** @throws AppError PERMISSION_DENIED for admin_only from anybody else */
export function mayWrite(agent: Agent, visibility: Visibility): void {
  if (visibility !== 'admin_only' || isAdmin(agent)) return
  throw new AppError('PERMISSION_DENIED', 'Only an admin may write messages that are admin_only.', {
    context: { argument: 'visibility', required_permission: 'admin', current_permissions: agent.permissions },
    suggestions: ['Use visibility public, private or agent_only']
  })
}
