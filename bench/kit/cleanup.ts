/** Keeps what a run must end, whatever happens. The last one added ends first. */
export interface Cleanup {
  /** @returns a function that ends it earlier, once */
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
