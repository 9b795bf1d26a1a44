/** The last moment that is taken for a time, in milliseconds since 1970: the last that an id made of a time can hold. */
export const LAST_MS = 2 ** 48 - 1;
