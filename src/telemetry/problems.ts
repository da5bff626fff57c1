import { diag, DiagLogLevel } from '@opentelemetry/api'
import { parseKeyPairsIntoRecord, setGlobalErrorHandler } from '@opentelemetry/core'

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
  const say = (said: string) => {
    const sentence = withoutUrls(said)
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
  for (const sentence of unusableHeaders(process.env)) say(sentence)
  return to => {
    listener = to
    for (const sentence of sentences) to.said(sentence)
  }
}

/** A URL that cannot be read may hold a password all the same. */
function withoutUrls(sentence: string): string {
  return /\bURL\b/.test(sentence) ? sentence.replace(/'[^']*'/g, '(not shown)') : sentence
}

const HEADERS = ['', 'TRACES_', 'METRICS_'].map(signal => `OTEL_EXPORTER_OTLP_${signal}HEADERS`)

/** OpenTelemetry leaves out what it cannot read, and says nothing. A header's value is a secret. */
function unusableHeaders(env: NodeJS.ProcessEnv): string[] {
  return HEADERS.flatMap(variable =>
    (env[variable] ?? '').split(',').flatMap((entry, i) => {
      if (entry.trim() === '' || Object.keys(parseKeyPairsIntoRecord(entry)).length > 0) return []
      return `${variable}: header ${i + 1} is not of the form name=value, with a value in URL encoding. It is left out.`
    })
  )
}

/** Without the collector's answer: nobody knows what is in it. */
function whyOf(error: unknown): string {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown }
  return [code, message].filter(part => part !== undefined && part !== '').join(' ') || 'no reason given'
}
