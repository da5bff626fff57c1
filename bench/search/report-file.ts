import { readFile, writeFile } from 'node:fs/promises'

/** Puts a run's report under its heading, in place of the last one there; reports of other sizes and halves stay. */
export async function writeSection(file: string, heading: string, report: string): Promise<void> {
  const old = await readFile(file, 'utf8').catch(() => '')
  const sections = new Map(
    old
      .split(/^(?=## )/mu)
      .filter(text => text.startsWith('## '))
      .map(text => [text.slice(3, text.indexOf('\n')), text.trim()])
  )
  sections.set(heading, `## ${heading}\n\n${report}`)
  await writeFile(
    file,
    [...sections]
      .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
      .map(([, text]) => text)
      .join('\n\n') + '\n'
  )
}
