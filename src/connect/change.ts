import type { CodingAgent } from './coding-agents.js'
import { SERVER_NAME } from './entries.js'
import { type HookMoment, hookItem, type HookSettings, isOurHook } from './hooks.js'
import type { Edit } from './text/edits.js'
import { appendItem, type Entry, insertEntry, removeEntry, updateEntry, valueAt } from './text/formats.js'
import { hooksAt, removeHooks, setCommand } from './text/hook-lists.js'

/** One thing that this program keeps in a file: an entry of a server, or a hook. All of it may throw Refused. */
export interface Change {
  /** The keys to it, for people. */
  at: string
  isThere: (text: string) => boolean
  /** Puts it into a text that lacks it. */
  insert: (text: string) => Edit[]
  /** Brings it up to date in a text that has it. */
  update: (text: string) => string
  remove: (text: string) => string
  /** What a text has of it. */
  value: (text: string) => unknown
}

export function entryChange({ format, servers }: Pick<CodingAgent, 'format' | 'servers'>, entry: Entry): Change {
  const path = [...servers, SERVER_NAME]
  const value = (text: string) => valueAt(format, text, path)
  return {
    at: path.join('.'),
    isThere: text => value(text) !== undefined,
    insert: text => insertEntry(format, text, path, entry),
    update: text => updateEntry(format, text, path, entry),
    remove: text => removeEntry(format, text, path),
    value
  }
}

/** @param command what the coding agent runs at that moment */
export function hookChange(client: string, settings: HookSettings, moment: HookMoment, command: string): Change {
  const path = ['hooks', settings.events[moment]]
  const ours = (text: string) => hooksAt(text, path, isOurHook(client))
  return {
    at: path.join('.'),
    isThere: text => ours(text).length > 0,
    insert: text => appendItem(text, path, hookItem(settings, command)),
    update: text => {
      const [first, ...more] = ours(text)
      return first === undefined ? text : setCommand(removeHooks(text, path, more), path, first, command)
    },
    remove: text => removeHooks(text, path, ours(text)),
    value: text => {
      const hooks = ours(text).map(({ value }) => value)
      return hooks.length === 0 ? undefined : { hooks }
    }
  }
}
