import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { eventRows, eventSchema, eventTypes, toExample } from '../../../shared/event/event.ts';
import { factRows } from '../../../shared/event/facts/factRows.ts';

const page = join(import.meta.dirname, '../../../docs/events.md');

/** The kinds of facts that become a type of event. */
const factsOf = (row: (typeof eventRows)[number]): string =>
  Object.entries(factRows)
    .filter(([, { events }]) => (events as readonly unknown[]).includes(row))
    .map(([kind]) => `\`${kind}\``)
    .join(', ');

describe('the types of events', () => {
  it('have one row each, however many facts become them', () => {
    expect(new Set(eventTypes).size).toBe(eventRows.length);
  });

  it('say what they look like, as the published schema takes it', () => {
    const examples = eventRows.map(toExample);

    expect(examples.map((example) => eventSchema.parse(example))).toEqual(examples);
  });

  it('stand in docs/events.md, which is made of them (run this file with -u)', async () => {
    const text = [
      '# Events: what is told, and when',
      '',
      'One envelope for all: `GET /v1/events` answers it, and webhooks carry it, in the same bytes. `id` is the place in the log,',
      'and the same in every delivery. New fields, and new types, come without notice: leave aside what you do not know. Workers',
      'publish facts, and ingest makes events of them (`shared/event/facts/factRows.ts`); the OpenAPI document has an example of each.',
      '',
      'The log is read with a cursor: `after` is `next` of the page before, an opaque text, and no event id. Each event comes once, and',
      'those of a connection come in their order, in which their ids sort too; between connections there is no order.',
      '',
      '`types`, `chatKind` (both with commas between) and `connectionId` leave the rest out; a page may then be empty and have more, and the place',
      'serves any filter. `chatKind` is `people`, `groups`, `statusUpdates`, `newsletters` or `broadcasts`; with it, events about no chat (`connection.*`,',
      '`action.*`, `media.*`, `bulk_send.status`, `webhook.disabled`) are left out.',
      '',
      '`wait=20` (seconds, 20 at most) asks to wait where there is nothing new: the answer comes within half a second of the first event that is',
      'wanted. Three requests of a tenant may wait at once, one more is 429 `too_many_readers`. A request that waits occupies a function of the API',
      'for as long, so a server that listens all day is better served by a webhook, or by the stream (docs/streams.md) where it is served.',
      '',
      '`GET /v1/event-types` lists the types, each with its JSON Schema and an example.',
      '',
      '| type | comes when | fact |',
      '| --- | --- | --- |',
      ...eventRows.map((row) => `| \`${row.type}\` | ${row.description} | ${factsOf(row)} |`),
      '',
      '```json',
      ...eventRows.slice(1, 2).map((row) => JSON.stringify(toExample(row), null, 2)),
      '```',
      '',
    ].join('\n');

    await expect(await format(text, { ...(await resolveConfig(page)), parser: 'markdown' })).toMatchFileSnapshot(page);
  });
});
