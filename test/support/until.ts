/** Polls until something holds, generously: how long it takes is not what is tested. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, limit_ms = 20_000): Promise<void> {
  const end = performance.now() + limit_ms
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`Not within ${limit_ms} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
