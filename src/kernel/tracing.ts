/** What a span says beside its name: ids, names and codes, never contents. */
export type SpanFacts = Record<string, string | number | boolean>

/** To which trace a request belongs, as its client said it (W3C Trace Context). */
export interface TraceContext {
  traceparent: string
  tracestate?: string
}

export interface Span {
  /** Runs work within the span: what begins there belongs to it. */
  within: <T>(work: () => T) => T
  /** Ends the span. @param code of the error with which it ended; undefined: it succeeded */
  end: (facts?: SpanFacts, code?: string) => void
}

/** Spans, for a kernel that knows nothing of how they are exported. */
export interface Tracing {
  /** Begins the span of a call. @param from undefined: a trace begins with it */
  call: (name: string, facts: SpanFacts, from: TraceContext | undefined) => Span
  /** Begins a span within the one that is open; undefined if none is. */
  part: (name: string, facts: SpanFacts) => Span | undefined
}

/** Runs work in a span within the one that is open, if one is. */
export async function inPart<T>(
  tracing: Tracing | undefined,
  name: string,
  facts: SpanFacts,
  work: () => Promise<T>
): Promise<T> {
  const span = tracing?.part(name, facts)
  if (span === undefined) return work()
  try {
    const result = await span.within(work)
    span.end()
    return result
  } catch (error) {
    span.end(undefined, codeOf(error))
    throw error
  }
}

function codeOf(error: unknown): string {
  const { code } = Object(error) as { code?: unknown }
  return typeof code === 'string' ? code : 'error'
}
