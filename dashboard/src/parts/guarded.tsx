import type { ComponentChildren } from 'preact'
import { useEffect, useErrorBoundary } from 'preact/hooks'
import { useLocation } from 'wouter-preact'
import { messageOf } from '../api/failure.js'
import { Failure } from './notes.js'

/** What is inside; where it cannot be shown, why, while all that is around it stays. Another address tries anew. */
export function Guarded({ children }: { children: ComponentChildren }) {
  const [location] = useLocation()
  const [error, reset] = useErrorBoundary((fault: unknown) => {
    console.error(fault)
  }) as [unknown, () => void]
  useEffect(() => {
    reset()
  }, [location])
  if (error === undefined) return <>{children}</>
  return (
    <div class="screen">
      <Failure
        error={new Error(`This screen cannot show what the service answered: ${messageOf(error)}`)}
        onRetry={reset}
      />
    </div>
  )
}
