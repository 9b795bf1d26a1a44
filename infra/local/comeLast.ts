import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** How far this process stands back behind others, from 0 to 19: as far as it can. What nobody else wants of the cores is enough for files. */
const NICENESS = 19;

/**
 * Lets all other processes of the machine come before this one. Linux may share out the cores among sessions, of which each process of the
 * stack is one, before it looks at processes: then the session stands back, too (`man 7 sched`, "The autogroup feature").
 */
export function comeLast(): void {
  setPriority(NICENESS);
  try {
    writeFileSync('/proc/self/autogroup', String(NICENESS));
  } catch {
    // Another system, or one that does not share out by session.
  }
}
