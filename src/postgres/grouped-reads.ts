/** Statements under way for one workspace, at most. */
const FLIGHTS_MAX = 2

interface Asked<Q, A> {
  question: Q
  resolve: (answer: A | undefined) => void
  reject: (error: unknown) => void
}
interface Group<Q, A> {
  waiting: Array<Asked<Q, A>>
  flights: number
  leaving: boolean
}

/**
 * Reads what is asked at the same time in one statement, as messages are written (message-writer.ts): a round trip and
 * a transaction serve many calls. Nothing waits for a clock, and a reading begins after all its questions were asked,
 * so each sees whatever was committed before it.
 * @param together_max questions answered by one statement, at most: what they are answered with is in memory at the
 * same time
 * @param read answers in the order of the questions, undefined where there is nothing
 */
export function groupReads<Q, A>(
  together_max: number,
  read: (workspace: string, questions: Q[]) => Promise<Array<A | undefined>>
): (workspace: string, question: Q) => Promise<A | undefined> {
  const groups = new Map<string, Group<Q, A>>()

  function schedule(workspace: string, group: Group<Q, A>): void {
    if (group.leaving || group.flights >= FLIGHTS_MAX) return
    group.leaving = true
    // After this turn's other requests have been read too.
    setImmediate(() => {
      group.leaving = false
      const asked = group.waiting.splice(0, together_max)
      group.flights++
      if (group.waiting.length > 0) schedule(workspace, group)
      void flush(workspace, asked).finally(() => {
        group.flights--
        if (group.waiting.length > 0) schedule(workspace, group)
        else if (group.flights === 0 && !group.leaving) groups.delete(workspace)
      })
    })
  }

  async function flush(workspace: string, asked: Array<Asked<Q, A>>): Promise<void> {
    try {
      const answers = await read(
        workspace,
        asked.map(({ question }) => question)
      )
      for (const [i, { resolve }] of asked.entries()) resolve(answers[i])
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }

  return (workspace, question) =>
    new Promise((resolve, reject) => {
      let group = groups.get(workspace)
      if (group === undefined) groups.set(workspace, (group = { waiting: [], flights: 0, leaving: false }))
      group.waiting.push({ question, resolve, reject })
      schedule(workspace, group)
    })
}
