/**
 * Why a file is left as it is. The message goes on after the file's name: `is damaged at line 3`. It never contains
 * anything of the file but names of keys, because files of coding agents hold secrets.
 */
export class Refused extends Error {}
