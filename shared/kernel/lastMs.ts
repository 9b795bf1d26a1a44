/** The last moment that is taken for a time, in milliseconds since 1970: the last that ISO 8601 writes with four digits, and an id can hold it. */
export const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
