import { type Static, type TObject, Type } from '@sinclair/typebox'
import { type Agent, isAdmin } from '../kernel/agent.js'
import { AppError } from '../kernel/errors.js'
import type { Visibility } from '../kernel/visibilities.js'
import { Metadata } from '../kernel/metadata-shapes.js'
import { Addressees, Content, Payload, VisibilityWord } from '../kernel/message-shapes.js'
import { MessageRef } from '../kernel/shapes.js'
import type { Draft } from './store/messages.js'

/** What a message to be written is made of. */
export const draftFields = {
  content: Content,
  visibility: Type.Optional(VisibilityWord('Who may read it', 'public')),
  to: Addressees('Whose inboxes it is for'),
  payload: Payload,
  metadata: Metadata(),
  parent_message_id: Type.Optional(MessageRef('The message it answers'))
}
type GivenDraft = Static<TObject<typeof draftFields>>

/**
 * A message as it is written, with what its sender left out.
 * @param argument names the content in errors
 * @throws AppError PERMISSION_DENIED for admin_only from an agent without admin; INVALID_INPUT for a message that says
 * nothing, or that is direct and for nobody
 */
export function draftOf(agent: Agent, given: GivenDraft, argument = 'content'): Draft {
  const { content, visibility = 'public', metadata = {}, parent_message_id, to = [], payload } = given
  mayWrite(agent, visibility)
  if (visibility === 'direct' && to.length === 0) throw directNeedsTo(argument.replace(/content$/, 'to'))
  if (content === '' && payload === undefined)
    throw new AppError('INVALID_INPUT', `The argument '${argument}' must be a string of 1 to 100000 characters.`, {
      context: {
        argument,
        given: 'an empty string',
        allowed: 'a string of 1 to 100000 characters, or a payload with it'
      },
      suggestions: ['Say something in content, or pass a payload with it']
    })
  if (content.trim() === '' && Object.keys(metadata).length === 0 && payload === undefined)
    throw new AppError('INVALID_INPUT', `The argument '${argument}' holds nothing but white space.`, {
      context: { argument, given: 'white space', allowed: 'text, or white space with metadata or a payload' },
      suggestions: ['Say something in content, or pass metadata or a payload with it']
    })
  return {
    content,
    visibility,
    metadata,
    parent_message_id,
    ...(to.length > 0 && { addressees: [...new Set(to)] }),
    ...(payload !== undefined && { payload })
  }
}

function directNeedsTo(argument: string): AppError {
  return new AppError('INVALID_INPUT', 'A message that is direct must say in `to` whom it is for.', {
    context: { argument, given: 'nothing', allowed: '1 to 50 agent_ids, or type:<agent_type>' },
    suggestions: ['Name in to those that may read the message, or use another visibility']
  })
}

/** For a message that is there already. */
export function notAddressed(): AppError {
  return new AppError('INVALID_INPUT', 'Only a message that is addressed to somebody can be made direct.', {
    context: { argument: 'visibility', given: 'direct', allowed: 'direct where the message has a `to`' },
    suggestions: ['Use visibility private, or write the message anew with add_message, direct and with to']
  })
}

/** @throws AppError PERMISSION_DENIED for admin_only from an agent without admin */
export function mayWrite(agent: Agent, visibility: Visibility): void {
  if (visibility !== 'admin_only' || isAdmin(agent)) return
  throw new AppError('PERMISSION_DENIED', 'Only an admin may write messages that are admin_only.', {
    context: { argument: 'visibility', required_permission: 'admin', current_permissions: agent.permissions },
    suggestions: ['Use visibility public, private, agent_only or direct']
  })
}
