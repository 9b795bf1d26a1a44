import { z } from 'zod';

/** A time in a request, in any zone; it is kept and shown in UTC. */
export const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());
