/**
 * Splits a text at \n only, as it comes: node:readline would also split at other characters, such as U+2028. What
 * follows the last \n is the last line; it is empty where the text ends with one.
 */
export async function* splitLines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  // A line may have megabytes: its pieces are put together once.
  const pieces: string[] = []
  for await (const chunk of chunks) {
    const lines = chunk.split('\n')
    if (lines.length > 1) {
      pieces.push(lines[0] as string)
      yield pieces.splice(0).join('')
      yield* lines.slice(1, -1)
    }
    pieces.push(lines.at(-1) as string)
  }
  yield pieces.join('')
}
