import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../kernel/json.js'
import type { CodingAgent } from './coding-agents.js'
import { SERVER_NAME } from './entries.js'
import { type HookMoment, hookItem, type HookSettings, isOurHook } from './hooks.js'
import { applyEdits, type Edit } from './text/edits.js'
import {
  appendItem,
  listAt,
  type Entry,
  insertEntry,
  removeEntry,
  removeItems,
  updateEntry,
  valueAt
} from './text/formats.js'

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
  const isOurs = isOurHook(client)
  const item = hookItem(settings, command)
  const ours = (text: string) => {
    return listAt(text, path).filter(isOurs)
  }
  return {
    at: path.join('.'),
    isThere: text => ours(text).length > 0,
    insert: text => appendItem(text, path, item),
    update: text => {
      const [first, ...more] = ours(text)
      if (more.length === 0 && isSame(first, item)) return text
      const without = removeItems(text, path, isOurs)
      return applyEdits(without, appendItem(without, path, item))
    },
    remove: text => removeItems(text, path, isOurs),
    value: text => ours(text)[0]
  }
}

/** Whether the command is the same; the user may have changed the time limit. */
function isSame(found: unknown, wanted: Record<string, unknown>): boolean {
  const commands = (item: unknown) =>
    isObject(item) && Array.isArray(item.hooks)
      ? item.hooks.map(hook => (Object(hook) as { command?: unknown }).command)
      : []
  return isDeepStrictEqual(commands(found), commands(wanted))
}
