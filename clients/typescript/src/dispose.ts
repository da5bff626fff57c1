/// <reference lib="esnext.disposable" preserve="true" />

/** What `await using` calls. Engines that lack the symbol have no `await using` either; compilers bring this one. */
export const asyncDispose: typeof Symbol.asyncDispose =
  (Symbol as { asyncDispose?: typeof Symbol.asyncDispose }).asyncDispose ??
  (Symbol.for('Symbol.asyncDispose') as typeof Symbol.asyncDispose)
