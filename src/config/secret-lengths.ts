/** Shortest API key, in characters. */
export const SECRET_MIN = 8
/** Shortest secret that signs, in characters. */
export const JWT_SECRET_MIN = 32
