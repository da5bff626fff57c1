import { AppError } from '../kernel/errors.js'

interface Referring {
  ref?: string
  depends_on?: string[]
}

/**
 * Turns the refs of tasks that are made together into their ids.
 * @param ids of the tasks, in their order
 * @returns what each depends on
 * @throws AppError INVALID_INPUT for a ref that comes twice, and for tasks that would wait for each other
 */
export function resolveReferences(tasks: readonly Referring[], ids: readonly string[]): string[][] {
  const places = new Map<string, number>()
  for (const [i, { ref }] of tasks.entries()) {
    if (ref === undefined) continue
    if (places.has(ref)) throw refused(`tasks/${i}/ref`, 'a ref that another task has', 'a ref of its own')
    places.set(ref, i)
  }
  const inner = tasks.map(({ depends_on = [] }) => depends_on.flatMap(name => places.get(name) ?? []))
  refuseCircle(inner)
  return tasks.map(({ depends_on = [] }) =>
    depends_on.map(name => {
      const place = places.get(name)
      return place === undefined ? name : (ids[place] as string)
    })
  )
}

/** Takes away tasks that wait for nothing, again and again: what is left then waits for itself. */
function refuseCircle(inner: number[][]): void {
  const waits = inner.map(needs => new Set(needs))
  const free = [...waits.keys()].filter(i => waits[i]?.size === 0)
  for (let next = free.pop(); next !== undefined; next = free.pop())
    for (const [i, needs] of waits.entries()) if (needs.delete(next) && needs.size === 0) free.push(i)
  const stuck = waits.findIndex(needs => needs.size > 0)
  if (stuck !== -1)
    throw refused(`tasks/${stuck}/depends_on`, 'tasks that wait for each other', 'dependencies without a circle')
}

function refused(argument: string, given: string, allowed: string): AppError {
  return new AppError('INVALID_INPUT', `The argument '${argument}' has ${given}.`, {
    context: { argument, given, allowed }
  })
}
