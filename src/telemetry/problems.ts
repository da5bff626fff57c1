import { diag, DiagLogLevel } from '@opentelemetry/api'
import { setGlobalErrorHandler } from '@opentelemetry/core'

/** What OpenTelemetry would otherwise tell nobody. */
export interface Problems {
  /** A sentence about a variable, or about what was dropped. */
  said: (sentence: string) => void
  /** An export has failed. */
  failed: (why: string) => void
}

export type SayProblems = (to: Problems) => void

/** Keeps what OpenTelemetry says until somebody listens. Each sentence once: each exporter reads the variables. */
export function keepProblems(): SayProblems {
  const sentences = new Set<string>()
  let listener: Problems | undefined
  const say = (sentence: string) => {
    if (sentences.has(sentence)) return
    sentences.add(sentence)
    listener?.said(sentence)
  }
  const silent = () => {}
  diag.setLogger(
    { error: say, warn: say, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true }
  )
  setGlobalErrorHandler(error => listener?.failed(whyOf(error)))
  return to => {
    listener = to
    for (const sentence of sentences) to.said(sentence)
  }
}

/** Without the collector's answer: nobody knows what is in it. */
function whyOf(error: unknown): string {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown }
  return [code, message].filter(part => part !== undefined && part !== '').join(' ') || 'no reason given'
}
