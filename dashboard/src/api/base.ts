/**
 * The address of the service: the page is at `app/` below it. A proxy may have put both behind a path of its own, so
 * nothing here begins with a slash.
 */
export function addressOf(path: string): string {
  return new URL(`../${path}`, new URL('.', location.href)).href
}
