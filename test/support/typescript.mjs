// Loads TypeScript into tests: `node --import=./test/support/typescript.mjs`.
import async_hooks from 'node:async_hooks'
import { register, syncBuiltinESMExports } from 'node:module'

register('./typescript-hooks.mjs', import.meta.url)

// tap loads hooks for coverage into every process that a test starts. Coverage is not taken here, the hooks cost each
// process 0.7 s of a core, and the process would not be the program as it is. tap reads them from this list of
// process-on-spawn, which wraps spawning.
globalThis[Symbol.for('process-on-spawn@*:singletonId')]?.listeners.splice(0)

// tap follows every promise and callback, to know of which test an uncaught error is: an eighth of what tests cost.
// Without that an uncaught error ends the file, which fails as well.
async_hooks.createHook = () => ({ enable() {}, disable() {} })
syncBuiltinESMExports()
