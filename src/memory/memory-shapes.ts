import { type TSchema, Type } from '@sinclair/typebox'
import { Nullable, Time } from '../kernel/answer-shapes.js'
import { Allowed, AnyValue, Code, HoldsText, Whole } from '../kernel/schema.js'
import { ExpiresIn } from '../kernel/shapes.js'
import { Metadata } from '../kernel/metadata-shapes.js'
import { placeFields } from './memory-scope.js'

/** The shapes that the tools of memory share. */

/** @param bytes_max of the value as JSON */
export function Value(bytes_max: number, description: string) {
  return AnyValue(description, value => value !== undefined && Buffer.byteLength(JSON.stringify(value)) <= bytes_max, {
    [HoldsText]: true,
    [Code]: 'CONTENT_TOO_LARGE',
    [Allowed]: `any JSON value of at most ${bytes_max} bytes`
  })
}

export const IfVersion = (description: string) =>
  Type.Optional(Whole({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description }))

export const Touch = Type.Optional(Type.Boolean({ description: 'Keep it as long again' }))

/** What goes with a value that is stored. */
export const storing = {
  expires_in: ExpiresIn('Seconds; 0: for ever'),
  metadata: Metadata('Anything about the value'),
  overwrite: Type.Optional(Type.Boolean({ default: true, description: 'false: KEY_EXISTS if there is one' }))
}

/** What an answer says of a value. @param more before the times */
export function valueFields<T extends Record<string, TSchema>>(more: T) {
  return {
    key: Type.String(),
    ...placeFields,
    version: Type.Integer(),
    ...more,
    created_at: Time,
    updated_at: Time,
    updated_by: Type.String({ description: 'Who wrote it last' }),
    expires_at: Nullable(Time)
  }
}
