import type { TObject } from '@sinclair/typebox'
import { AppError } from './errors.js'
import { type SchemaExtensions, NamesAgent } from './schema.js'
import { TYPE_PREFIX } from './addresses.js'
import { composed, hasUnseenCharacters } from './text.js'

/**
 * How names of agents are spelt. One that the service has stored keeps its spelling, whatever that is; every other is
 * composed (NFC). So a name is looked up as it was sent, and then composed. Only a name that is not composed, or that
 * holds unseen characters, costs a statement.
 */

/** Whether an agent of exactly that name has left something. */
export type IsStoredAgent = (workspace: string, agent_id: string) => Promise<boolean>

/** Whether two names are the same but for the way in which accents were typed. */
export function isSameName(one: string, other: string): boolean {
  return one === other || composed(one) === composed(other)
}

/** The spelling by which to look for an agent. */
export async function knownName(workspace: string, agent_id: string, isStored: IsStoredAgent): Promise<string> {
  const plain = composed(agent_id)
  return plain === agent_id || (await isStored(workspace, agent_id)) ? agent_id : plain
}

/**
 * The name of an agent that calls, or that is to be able to call.
 * @param argument what the name was given in, for the error
 * @throws AppError INVALID_INPUT for unseen characters in a new name, or one that stands for a type
 */
export async function callerName(
  workspace: string,
  agent_id: string,
  isStored: IsStoredAgent,
  argument: string
): Promise<string> {
  const standsForType = agent_id.startsWith(TYPE_PREFIX)
  if (!standsForType && !hasUnseenCharacters(agent_id)) return knownName(workspace, agent_id, isStored)
  if (await isStored(workspace, agent_id)) return agent_id
  throw standsForType ? typeInName(argument) : unseenInName(argument)
}

/** A name that would stand for a type where something is addressed to it. */
export function typeInName(argument: string): AppError {
  return new AppError(
    'INVALID_INPUT',
    `The ${argument} begins with '${TYPE_PREFIX}', which stands for a type of agents.`,
    {
      context: { argument, given: `a name that begins with '${TYPE_PREFIX}'`, allowed: 'any other beginning' },
      suggestions: [`Use a name without '${TYPE_PREFIX}' at its beginning`]
    }
  )
}

export function unseenInName(argument: string): AppError {
  return new AppError('INVALID_INPUT', `The ${argument} holds characters that are not seen.`, {
    context: {
      argument,
      given: 'a name with invisible or bidirectional characters',
      allowed: 'characters that are seen'
    },
    suggestions: ['Remove invisible characters, such as U+200B and U+202E, from the name']
  })
}

/** The arguments of a tool that name agents. */
export function agentArguments({ properties }: TObject): string[] {
  return Object.keys(properties).filter(name => (properties[name] as SchemaExtensions)[NamesAgent] === true)
}
