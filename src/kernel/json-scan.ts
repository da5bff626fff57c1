import { AppError } from './errors.js'

/** Deepest nesting of arrays and objects (docs/semantics.md, Limits). */
export const JSON_DEPTH_MAX = 64
/** Most values in one JSON text: each array, object, string, number, true, false and null counts. */
export const JSON_VALUES_MAX = 100_000
/** Most names of fields in one JSON text. JSON.parse takes ten times as long for a field as for a number. */
export const JSON_FIELDS_MAX = 10_000
/** Levels that a JSON-RPC batch has around the arguments of a tool: the batch, the message, its params. */
const ENVELOPE_DEPTH = 3

/** Of an empty object, with its place in an array; a number takes 8. */
const VALUE_BYTES = 64

/** No shorter text is an integer that a double does not hold. */
const LONG_NUMBER = 16
/** More digits than the largest double has. A longer number overflows. */
const NUMBER_MAX = 400
/** An integer that is written out. */
const INTEGER = /^-?(\d{16,309})(?:\.0*)?$/
/** A number that JSON.parse turns into Infinity. */
const OVERFLOW = '1e999'

/** Bytes of a string that are looked at one by one. */
const SHORT = 64
/** Bytes of a string that are searched at once. */
const WINDOW = 4096

const QUOTE = 0x22
const BACKSLASH = 0x5c

const VALUE = 0
const SPACE = 1
const TEXT = 2
const OPEN = 3
const CLOSE = 4
const COMMA = 5
const COLON = 6
/** What each byte means outside of a string. */
const kinds = new Uint8Array(256).fill(VALUE)
for (const [text, kind] of [
  [' \t\r\n', SPACE],
  ['"', TEXT],
  ['[{', OPEN],
  [']}', CLOSE],
  [',', COMMA],
  [':', COLON]
] as const) {
  for (const character of text) kinds[character.charCodeAt(0)] = kind
}

/**
 * Counts the depth and the values of a JSON text, byte by byte as the bytes arrive, so that JSON.parse never sees a
 * text that would stop the process: 8 MB of `[` take it more than a second. It also finds integers that JSON.parse
 * would change. It does not check whether the text is JSON.
 */
export class JsonScan {
  private depth = 0
  private commas = 0
  private fields = 0
  private filled = 0
  /** The last byte that is no white space opened an array or an object. */
  private opened = false
  private in_string = false
  private escaped = false
  private string_bytes = 0
  /** Bytes of the chunks before this one. */
  private offset = 0
  /** What a chunk ended with, if that is a number, true, false or null: the next chunk may go on with it. */
  private cut = ''
  /** Where the first integer stands that a double does not hold. */
  private inexact: { from: number; to: number } | undefined

  /** Values so far, exact for text that is JSON. */
  get values(): number {
    return this.commas + this.filled + 1
  }

  /**
   * Bytes of heap that the parsed value takes, estimated. @param ascii whether the text has no other characters: V8
   * then keeps one byte for each
   */
  heapBytes(ascii: boolean): number {
    return this.values * VALUE_BYTES + this.string_bytes * (ascii ? 1 : 2)
  }

  /**
   * Scans the next bytes.
   * @param name the subject of the error's sentence
   * @throws AppError INVALID_INPUT deeper than 64 levels, PAYLOAD_TOO_LARGE beyond 100 000 values or 10 000 fields
   */
  feed(bytes: Uint8Array, name: string): void {
    const { length } = bytes
    let i = this.in_string ? this.skipString(bytes, 0) : 0
    if (this.cut !== '') i = this.skipValue(bytes, 0)
    while (i < length) {
      const kind = kinds[bytes[i++] as number] as number
      if (kind === SPACE) {
        while (i < length && kinds[bytes[i] as number] === SPACE) i++
        continue
      }
      if (this.opened) {
        // The array or object that was opened has something in it, unless it ends here.
        if (kind !== CLOSE) this.filled++
        this.opened = false
      }
      switch (kind) {
        case VALUE:
          i = this.skipValue(bytes, i - 1)
          break
        case TEXT:
          this.in_string = true
          i = this.skipString(bytes, i)
          break
        case COMMA:
          if (++this.commas + this.filled >= JSON_VALUES_MAX) throw tooManyValues(name)
          break
        case COLON:
          if (++this.fields > JSON_FIELDS_MAX) throw tooManyFields(name)
          break
        case CLOSE:
          this.depth--
          break
        default:
          this.opened = true
          if (++this.depth > JSON_DEPTH_MAX + ENVELOPE_DEPTH) throw tooDeep(name)
      }
    }
    if (this.commas + this.filled >= JSON_VALUES_MAX) throw tooManyValues(name)
    this.offset += length
  }

  /**
   * Writes a number that overflows in place of the first integer that a double does not hold. JSON.parse then turns it
   * into Infinity; json.ts refuses that, and names the argument.
   * @param text all of the scanned bytes; they may be changed
   */
  markInexact(text: Buffer): void {
    if (this.cut !== '') this.checkInteger(this.cut, this.offset)
    if (this.inexact === undefined) return
    const { from, to } = this.inexact
    text.fill(' ', from, to).write(OVERFLOW, from)
  }

  /** @returns the place behind a number, true, false or null, or behind the bytes where it goes on in the next ones */
  private skipValue(bytes: Uint8Array, from: number): number {
    let i = from
    while (i < bytes.length && kinds[bytes[i] as number] === VALUE) i++
    const isCut = i === bytes.length
    if (isCut || this.cut !== '' || i - from >= LONG_NUMBER) {
      const text =
        this.cut + Buffer.from(bytes.buffer, bytes.byteOffset + from, i - from).toString('latin1', 0, NUMBER_MAX)
      this.cut = isCut ? text.slice(0, NUMBER_MAX) : ''
      if (!isCut) this.checkInteger(text, this.offset + i)
    }
    return i
  }

  /** @param to the place behind the text */
  private checkInteger(text: string, to: number): void {
    if (this.inexact !== undefined || text.length < LONG_NUMBER) return
    const digits = INTEGER.exec(text)?.[1]
    if (digits === undefined) return
    const parsed = Number(digits)
    // Doubles above 2^53 are written with zeros at the end, such as 123456789012345680000: they come back as they are.
    if (String(parsed) === digits || BigInt(parsed) === BigInt(digits)) return
    this.inexact = { from: to - text.length, to }
  }

  /** @returns the place behind the string's end, or behind the bytes where the string goes on in the next ones */
  private skipString(bytes: Uint8Array, from: number): number {
    const { length } = bytes
    let i = from
    if (this.escaped) {
      this.escaped = false
      i++
    }
    for (;;) {
      // Most strings are short; in a long one the search that is native is several times as fast.
      const near = Math.min(i + SHORT, length)
      while (i < near && bytes[i] !== QUOTE && bytes[i] !== BACKSLASH) i++
      if (i === near && i < length) i = this.nextMark(bytes, i)
      if (i >= length) break
      const byte = bytes[i]
      if (byte === QUOTE) {
        this.in_string = false
        i++
        break
      }
      if (byte !== BACKSLASH) continue
      if (i + 1 === length) this.escaped = true
      i += 2
    }
    i = Math.min(i, length)
    this.string_bytes += i - from
    return i
  }

  /**
   * @returns the place of the next quote or backslash, or of the end of the window: without one, each mark would cost a
   * search of all the rest
   */
  private nextMark(bytes: Uint8Array, from: number): number {
    const window = bytes.subarray(from, from + WINDOW)
    const quote = window.indexOf(QUOTE)
    const backslash = (quote === -1 ? window : window.subarray(0, quote)).indexOf(BACKSLASH)
    return from + (backslash !== -1 ? backslash : quote !== -1 ? quote : window.length)
  }
}

/**
 * JSON.parse for a text that a client sent inside of a string.
 * @throws AppError as JsonScan does; SyntaxError where it is no JSON
 */
export function parseBounded(text: string, name: string): unknown {
  const bytes = Buffer.from(text)
  const scan = new JsonScan()
  scan.feed(bytes, name)
  scan.markInexact(bytes)
  return JSON.parse(bytes.toString())
}

function tooDeep(name: string): AppError {
  return new AppError('INVALID_INPUT', `${name} is nested deeper than ${JSON_DEPTH_MAX} levels.`, {
    context: { given: 'deeper nesting', allowed: `at most ${JSON_DEPTH_MAX} levels`, limit_levels: JSON_DEPTH_MAX },
    suggestions: ['Flatten the structure, or send it as a string of JSON']
  })
}

function tooManyValues(name: string): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', `${name} holds more than ${JSON_VALUES_MAX} JSON values.`, {
    context: { given: 'more values', allowed: `at most ${JSON_VALUES_MAX} values`, limit_values: JSON_VALUES_MAX },
    suggestions: ['Split the content over several calls']
  })
}

function tooManyFields(name: string): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', `${name} holds more than ${JSON_FIELDS_MAX} fields of objects.`, {
    context: { given: 'more fields', allowed: `at most ${JSON_FIELDS_MAX} fields`, limit_fields: JSON_FIELDS_MAX },
    suggestions: ['Split the content over several calls, or send arrays instead of objects']
  })
}
