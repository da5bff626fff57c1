import { type Agent, mayEnter } from '../../kernel/agent.js'

/** A change and the viewers that may see it, by their number from 1; null: all. */
export interface Item<C> {
  change: C
  seen_by: number[] | null
}

/**
 * @returns what the viewer at an index of the list may see of the items: nothing if it may not enter the session.
 * Viewers that see everything share a list.
 */
export function changesPerViewer<C>(viewers: readonly Agent[], session_id: string, items: ReadonlyArray<Item<C>>) {
  const all = items.map(({ change }) => change)
  const forAll = items.every(({ seen_by }) => seen_by === null)
  return eachOnce(viewer => {
    if (!mayEnter(viewers[viewer] as Agent, session_id)) return []
    return forAll ? all : items.flatMap(({ change, seen_by }) => (sees(seen_by, viewer + 1) ? [change] : []))
  })
}

/** Makes the list of each viewer once: followers with the same rights get the same list, and so the same bytes. */
export function eachOnce<T>(listOf: (viewer: number) => readonly T[]): (viewer: number) => readonly T[] {
  const lists = new Map<number, readonly T[]>()
  return viewer => {
    const list = lists.get(viewer) ?? listOf(viewer)
    lists.set(viewer, list)
    return list
  }
}

/** Whether a viewer is among those who see something, by its number from 1. */
export function sees(seen_by: number[] | null, viewer: number): boolean {
  return seen_by === null || seen_by.includes(viewer)
}
