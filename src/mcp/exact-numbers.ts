import { Transform, type TransformCallback } from 'node:stream'
import { JsonScan } from '../kernel/json-scan.js'

const LINE_BREAK = 0x0a

/**
 * Passes on lines of JSON. In a line with an integer that JSON.parse would change, the integer becomes one that
 * overflows: the tool then refuses it, and names the argument.
 */
export class ExactNumbers extends Transform {
  private parts: Buffer[] = []
  private length = 0

  /** @param line_max bytes; the rest of a longer line is passed on as it is */
  constructor(private readonly line_max: number) {
    super()
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    for (let from = 0; from < chunk.length;) {
      const end = chunk.indexOf(LINE_BREAK, from)
      const to = end === -1 ? chunk.length : end + 1
      this.parts.push(chunk.subarray(from, to))
      this.length += to - from
      if (end !== -1 || this.length > this.line_max) this.pass()
      from = to
    }
    done()
  }

  override _flush(done: TransformCallback): void {
    this.pass()
    done()
  }

  private pass(): void {
    const line = Buffer.concat(this.parts, this.length)
    this.parts = []
    this.length = 0
    const scan = new JsonScan()
    try {
      scan.feed(line, 'The message')
      scan.markInexact(line)
    } catch {
      // Too deep, or too many values: the reader says so.
    }
    this.push(line)
  }
}
