import { z } from 'zod';
import { eventRows, eventSchemas, toExample } from '../../shared/event/event.ts';
import { route, type Route } from '../http/route.ts';

const eventTypeSchema = z
  .object({
    type: z.string(),
    description: z.string().meta({ description: 'When it comes.' }),
    schema: z.record(z.string(), z.unknown()).meta({ description: 'The JSON Schema (2020-12) of the whole event.' }),
    example: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'EventType' });

/** The catalogue of events. It is made once, when it is asked for first. */
export function eventTypeRoutes(): readonly Route[] {
  let made: readonly z.infer<typeof eventTypeSchema>[] | undefined;
  return [
    route('GET', '/v1/event-types', {
      summary: 'List the types of events, each with its schema and an example',
      description:
        'New types, and new fields of those that are here, come without notice: leave aside what you do not know.',
      answers: { status: 200, schema: z.object({ data: z.array(eventTypeSchema) }) },
      handle: () => {
        made ??= eventRows.map((row) => ({
          type: row.type,
          description: row.description,
          schema: z.toJSONSchema(eventSchemas[row.type], { unrepresentable: 'any' }),
          example: { ...toExample(row) },
        }));
        return Promise.resolve({ status: 200, json: { data: made } });
      },
    }),
  ];
}
