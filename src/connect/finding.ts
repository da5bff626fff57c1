/** What one step of `doctor` found. */
export interface Finding {
  /** What was looked at, such as `TCP`. */
  step: string
  ok: boolean
  /** A sentence or a fact. */
  says: string
  /** What to do about a fault. */
  advice?: string
}

export function fine(step: string, says: string): Finding {
  return { step, ok: true, says }
}

export function fault(step: string, says: string, advice: string): Finding {
  return { step, ok: false, says, advice }
}
