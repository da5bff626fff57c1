import { Type } from '@sinclair/typebox'
import { type Agent, isAdmin } from '../kernel/agent.js'
import { AppError } from '../kernel/errors.js'
import type { Visibility } from '../kernel/visibilities.js'
import { Metadata } from '../kernel/metadata-shapes.js'
import { Content, MessageRef, VisibilityWord } from '../kernel/shapes.js'
import type { Draft } from './store/messages.js'

type GivenDraft = Pick<Draft, 'content' | 'parent_message_id'> & Partial<Draft>

/** What a message to be written is made of. */
export const draftFields = {
  content: Content,
  visibility: Type.Optional(VisibilityWord('Who may read it', 'public')),
  metadata: Metadata(),
  parent_message_id: Type.Optional(MessageRef('The message of the same session that this one answers'))
}

/**
 * A message as it is written, with what its sender left out.
 * @param argument names the content in errors
 * @throws AppError PERMISSION_DENIED for admin_only from an agent without admin; INVALID_INPUT for a message that says
 * nothing
 */
export function draftOf(agent: Agent, given: GivenDraft, argument = 'content'): Draft {
  const { content, visibility = 'public', metadata = {}, parent_message_id } = given
  mayWrite(agent, visibility)
  if (content.trim() === '' && Object.keys(metadata).length === 0)
    throw new AppError('INVALID_INPUT', `The argument '${argument}' holds nothing but white space.`, {
      context: { argument, given: 'white space', allowed: 'text, or white space with metadata' },
      suggestions: ['Say something in content, or pass metadata with it']
    })
  return { content, visibility, metadata, parent_message_id }
}

/** @throws AppError PERMISSION_DENIED for admin_only from an agent without admin */
export function mayWrite(agent: Agent, visibility: Visibility): void {
  if (visibility !== 'admin_only' || isAdmin(agent)) return
  throw new AppError('PERMISSION_DENIED', 'Only an admin may write messages that are admin_only.', {
    context: { argument: 'visibility', required_permission: 'admin', current_permissions: agent.permissions },
    suggestions: ['Use visibility public, private or agent_only']
  })
}
