import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { Test } from 'tap'

/** A browser without a window, driven over the pipe of its DevTools protocol; undefined where none is installed. */
export interface Page {
  /** Everything the page complained of: what its policy blocked, what did not load, what was thrown. */
  complaints: string[]
  open: (url: string) => Promise<void>
  /** The value of an expression in the page. */
  evaluate: (expression: string) => Promise<unknown>
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

export async function openBrowser(t: Test): Promise<Page | undefined> {
  const program = NAMES.find(name => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)
  if (program === undefined) return undefined
  const profile = await mkdtemp(join(tmpdir(), 'scs-chromium-'))
  const browser = spawn(
    program,
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      `--user-data-dir=${profile}`,
      '--remote-debugging-pipe',
      'about:blank'
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] }
  )
  const ended = new Promise<void>(resolve => {
    browser.once('exit', () => {
      resolve()
    })
  })
  t.teardown(async () => {
    browser.kill('SIGKILL')
    await ended
    await rm(profile, { recursive: true, force: true, maxRetries: 10 })
  })

  const to = browser.stdio[3] as Writable
  const from = browser.stdio[4] as Readable
  const waiting = new Map<number, { resolve: (result: any) => void; reject: (error: Error) => void }>()
  const complaints: string[] = []
  let rest = ''
  let last = 0
  from.setEncoding('utf8').on('data', (text: string) => {
    const messages = (rest + text).split('\0')
    rest = messages.pop() ?? ''
    for (const message of messages) hear(JSON.parse(message))
  })
  to.on('error', () => {})

  function hear({ id, result, error, method, params }: any): void {
    if (id !== undefined) {
      if (error === undefined) waiting.get(id)?.resolve(result)
      else waiting.get(id)?.reject(new Error(error.message))
      waiting.delete(id)
    } else if (method === 'Log.entryAdded' && params.entry.level === 'error')
      complaints.push(`${params.entry.text} ${params.entry.url ?? ''}`)
    else if (method === 'Runtime.exceptionThrown') complaints.push(params.exceptionDetails.text)
  }

  async function ask(method: string, params: Record<string, unknown> = {}, sessionId?: string): Promise<any> {
    const id = ++last
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject })
      to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    })
  }

  const { targetId } = await ask('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await ask('Target.attachToTarget', { targetId, flatten: true })
  for (const domain of ['Page', 'Log', 'Runtime']) await ask(`${domain}.enable`, {}, sessionId)
  return {
    complaints,
    async open(url) {
      await ask('Page.navigate', { url }, sessionId)
    },
    async evaluate(expression) {
      return (await ask('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, sessionId)).result
        .value
    }
  }
}
