// Loaded into the server: on SIGUSR2 it says how late its timers have been since the last time, in milliseconds.
const EVERY_MS = 5
let late = []
let last = performance.now()

setInterval(() => {
  const now = performance.now()
  late.push(Math.max(0, now - last - EVERY_MS))
  last = now
}, EVERY_MS).unref()

process.on('SIGUSR2', () => {
  const sorted = late.sort((a, b) => a - b)
  late = []
  process.stderr.write(
    `lag ${JSON.stringify({ max_ms: sorted.at(-1) ?? 0, p99_ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0 })}\n`
  )
})
