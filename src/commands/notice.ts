import { printable } from '../kernel/text.js'

/** Tells the operator something that is not the result of the command: that alone goes to standard output. */
export function notice(line: string): void {
  process.stderr.write(`${line.split('\n').map(printable).join('\n')}\n`)
}
