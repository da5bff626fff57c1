import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Context,
  defaultTextMapGetter,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span as OtelSpan,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer
} from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import type { Span, SpanFacts, Tracing } from '../kernel/tracing.js'

export interface OtelTracing extends Tracing {
  /** Which span is open, for a line of the log; undefined: none. */
  ids: () => { trace_id: string; span_id: string } | undefined
}

/** Spans by OpenTelemetry's API. Contexts are handed on by a storage of our own: nothing global is set. */
export function tracingBy(tracer: Tracer): OtelTracing {
  const open = new AsyncLocalStorage<Context>()
  const propagator = new W3CTraceContextPropagator()

  function begin(name: string, kind: SpanKind, attributes: SpanFacts, from: Context): Span {
    const span = tracer.startSpan(name, { kind, attributes }, from)
    const context = trace.setSpan(from, span)
    return { within: work => open.run(context, work), end: (facts, code) => end(span, facts, code) }
  }

  return {
    call: (name, facts, from) =>
      begin(
        name,
        SpanKind.SERVER,
        facts,
        from === undefined ? ROOT_CONTEXT : propagator.extract(ROOT_CONTEXT, from, defaultTextMapGetter)
      ),
    part(name, facts) {
      const within = open.getStore()
      if (within === undefined || trace.getSpan(within)?.isRecording() !== true) return undefined
      return begin(name, 'db.system.name' in facts ? SpanKind.CLIENT : SpanKind.INTERNAL, facts, within)
    },
    ids() {
      const within = open.getStore()
      const context = within && trace.getSpanContext(within)
      if (context === undefined || !isSpanContextValid(context)) return undefined
      return { trace_id: context.traceId, span_id: context.spanId }
    }
  }
}

function end(span: OtelSpan, facts: SpanFacts | undefined, code: string | undefined): void {
  if (facts !== undefined) span.setAttributes(facts)
  if (code !== undefined) {
    span.setAttribute('error.type', code)
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end()
}
