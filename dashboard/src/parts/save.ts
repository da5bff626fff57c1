/** Saves texts as one file, by the browser's own dialog. */
export function saveFile(parts: string[], type: string, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob(parts, { type: `${type};charset=utf-8` }))
  link.download = name
  link.click()
  // The browser reads it in its own time.
  setTimeout(() => {
    URL.revokeObjectURL(link.href)
  }, 60_000)
}
