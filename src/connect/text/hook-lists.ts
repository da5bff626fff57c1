import { isObject } from '../../kernel/json.js'
import { applyEdits } from './edits.js'
import { listAt, prove } from './formats.js'
import { removeAt, replaceAt } from './jsonc.js'

/** A hook in the list of an event. Each item of such a list has hooks of its own, which may be of several owners. */
export interface FoundHook {
  /** The number of the item, and that of the hook in it. */
  item: number
  hook: number
  value: unknown
}

/** The hooks in the list at a path of a JSON text that are meant. */
export function hooksAt(text: string, path: readonly string[], isMeant: (hook: unknown) => boolean): FoundHook[] {
  return listAt(text, path)
    .flatMap((one, item) => hooksOf(one).map((value, hook) => ({ item, hook, value })))
    .filter(({ value }) => isMeant(value))
}

/**
 * The text without some hooks. An item that has no other hook goes too: what else it says, it says of its hooks.
 * @throws Refused
 */
export function removeHooks(text: string, path: readonly string[], hooks: readonly FoundHook[]): string {
  const items = listAt(text, path)
  const wanted: unknown[] = []
  let after = text
  // The last first, so that the numbers of those before it stay.
  for (const index of [...items.keys()].reverse()) {
    const item = items[index]
    const gone = hooks.filter(({ item }) => item === index).map(({ hook }) => hook)
    const left = hooksOf(item).filter((_hook, number) => !gone.includes(number))
    const goes = gone.length > 0 && left.length === 0
    const paths = goes ? [[]] : gone.reverse().map(number => ['hooks', number])
    for (const below of paths) after = applyEdits(after, removeAt(after, [...path, index, ...below]))
    if (!goes) wanted.unshift(gone.length === 0 ? item : { ...Object(item), hooks: left })
  }
  if (after !== text) prove('json', text, after, path, wanted)
  return after
}

/** The text in which a hook has this command. What else the hook and its item say stays. @throws Refused */
export function setCommand(text: string, path: readonly string[], { item, hook }: FoundHook, command: string): string {
  const items = structuredClone(listAt(text, path))
  const found = hooksOf(items[item])[hook]
  if (!isObject(found) || found.command === command) return text
  found.command = command
  const after = applyEdits(text, replaceAt(text, [...path, item, 'hooks', hook, 'command'], command))
  prove('json', text, after, path, items)
  return after
}

function hooksOf(item: unknown): unknown[] {
  const { hooks } = Object(item) as { hooks?: unknown }
  return Array.isArray(hooks) ? (hooks as unknown[]) : []
}
