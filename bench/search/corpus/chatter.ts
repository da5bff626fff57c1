import { hex, number, path, ticket, uuid } from './identifiers.js'
import { noun, type Pen, prose, sentence, thing } from './prose.js'
import type { Random } from './random.js'
import { EMOJI } from './words.js'

const worker = (random: Random) => `worker-${random.int(1, 40)}`
const title = (pen: Pen) => {
  const text = thing(pen)
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** What agents say to each other, in the manners of coordinating agents. */
export function chatter(pen: Pen, length: number): string {
  const { random } = pen
  switch (random.int(0, 15)) {
    case 0:
      return `TASK ASSIGNMENT: ${worker(random)} -> ${prose(pen, length)}`
    case 1:
      return `COMPLETED: ${title(pen)}. ${prose(pen, length)}`
    case 2:
      return `Acknowledged: ${thing(pen)}. Starting on it with the ${noun(pen)}.${length > 160 ? ` ${prose(pen, length - 60)}` : ''}`
    case 3:
      return `@coordinator: Task '${title(pen)}' completed by ${worker(random)}${length > 160 ? `. ${prose(pen, length - 60)}` : ''}`
    case 4:
      return `Task ${random.int(1, 400)}: ${prose(pen, length)}`
    case 5:
      return `@${worker(random)} ${prose(pen, length)}`
    case 6:
      return `Status: ${random.pick(['in progress', 'blocked', 'waiting', 'done', 'at risk'])}, ${random.int(1, 99)}%. ${prose(pen, length)}`
    case 7:
      return `Decision ${ticket(random)}: ${prose(pen, length)}`
    case 8:
      return `${random.pick(EMOJI)} ${prose(pen, length)}`
    case 9:
      return `Handing over to ${worker(random)}, run ${uuid(random)}. ${prose(pen, length)}`
    case 10:
      return `Findings:\n${Array.from({ length: Math.max(2, Math.round(length / 90)) }, (_, i) => `${i + 1}. ${sentence(pen)}`).join('\n')}`
    case 11:
      return `Wrote ${path(random, pen.words)} (${number(random)}), commit ${hex(random, random.chance(0.5) ? 40 : 10)}. ${prose(pen, length - 70)}`
    default:
      return prose(pen, length)
  }
}
