import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'

/**
 * Puts a file system of so many bytes into a folder, until the test ends. @returns false where this machine does not
 * let us: it takes root and Linux, and a container may forbid it
 */
export function mountSmallDisk(t: Test, folder: string, bytes: number): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=711`, 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    return false
  }
  t.teardown(() => {
    execFileSync('umount', ['--lazy', folder], { stdio: 'ignore' })
  })
  return true
}

/** Fills the file system that holds a folder, to its last block. @returns what frees it again */
export function fillDisk(folder: string): () => void {
  const file = join(folder, 'filler')
  const open = openSync(file, 'w')
  for (const block of [Buffer.alloc(1024 * 1024), Buffer.alloc(4096)]) {
    try {
      for (;;) writeSync(open, block)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
  closeSync(open)
  return () => {
    rmSync(file)
  }
}
