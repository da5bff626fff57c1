import type { Measure } from '../kit/bench.js'
import { addMessage } from './add-message.js'

/** In the order of the table. */
export const measures: Measure[] = [
  { name: 'add-message', seconds: 60, run: addMessage }
]
