/** A private key as PEM or OpenPGP has it (RFC 7468, RFC 9580). */
const BEGIN = /-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----/g
const END = /-----END (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----/y
/**
 * Of one that is cut off, the lines of base64 that are there, and two that an old one has before them. Lines may end as
 * they do in a string of JSON, and begin as in a quotation.
 */
const LINES = /(?:(?:[\s>|#]|\\[nrt])+(?:[A-Za-z0-9+/=]{16,}|(?:Proc-Type|DEK-Info): [A-Z0-9,-]{1,80}))*/y
const DASHES = '-----'

/** @returns where each private key of a text begins and ends; a regular expression alone would look too often */
export function privateKeysIn(text: string): Array<[from: number, to: number]> {
  const found: Array<[from: number, to: number]> = []
  for (const begin of text.matchAll(BEGIN)) {
    const from = begin.index
    const body = from + begin[0].length
    // No line of a key begins with dashes, so that the next ones are its end, or it has none.
    const dashes = text.indexOf(DASHES, body)
    END.lastIndex = dashes
    if (dashes !== -1 && END.test(text) && !text.slice(body, dashes).includes('"')) found.push([from, END.lastIndex])
    else {
      LINES.lastIndex = body
      LINES.test(text)
      if (LINES.lastIndex > body) found.push([from, LINES.lastIndex])
    }
  }
  return found
}
