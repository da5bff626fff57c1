/** What a run has begun and must end, whatever happens: the last one first. */
export interface Cleanup {
  /** @returns what ends it now, once, for when it is not needed any longer */
  add: (end: () => Promise<void>) => () => Promise<void>
  all: () => Promise<void>
}

export function createCleanup(): Cleanup {
  const open: Array<() => Promise<void>> = []
  return {
    add(end) {
      let ended: Promise<void> | undefined
      const once = () => {
        open.splice(0, open.length, ...open.filter(other => other !== once))
        return (ended ??= end())
      }
      open.push(once)
      return once
    },
    async all() {
      for (let end = open.at(-1); end !== undefined; end = open.at(-1))
        await end().catch((error: unknown) => {
          console.error(error)
        })
    }
  }
}
