import { queueDefinitions, type QueueDefinition } from '../../shared/platform/queues.ts';

/** The greatest number of queues for events that a stage can have. */
const MOST_EVENT_QUEUES = 64;

/** The definition of a queue of a stage. Throws when there is none of that name. */
export function queueDefinition(stage: string, name: string): QueueDefinition {
  const found = queueDefinitions(stage, 1, MOST_EVENT_QUEUES).find((definition) => definition.name === name);
  if (found === undefined) throw new Error(`there is no queue ${name}`);
  return found;
}

/** Name of the dead-letter queue of a queue. Throws when it has none. */
export function deadLettersOf(stage: string, name: string): string {
  const { deadLetter } = queueDefinition(stage, name);
  if (deadLetter === undefined) throw new Error(`queue ${name} has no dead-letter queue`);
  return deadLetter.name;
}
