import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { eventRows, toExample } from '../../shared/event/event.ts';

/** The headers of each post, as Standard Webhooks names them. */
const headers = z.object({
  'webhook-id': z.string().meta({ description: 'The same in each attempt: drop what you have seen.' }),
  'webhook-timestamp': z.string().meta({ description: 'When this attempt was signed, in seconds since 1970.' }),
  'webhook-signature': z
    .string()
    .meta({ description: 'By one secret of the webhook or by each of two, with a space between.' }),
});

/** Any event: the one of a type is told by its `type`. As a schema of what is sent to us it would be in the document twice. */
const EVENT = { $ref: '#/components/schemas/Event' } as const;

/** What is posted to webhooks, for the document of the API: one operation for each type of event, by the type. */
export function webhookOperations(): ZodOpenApiPathsObject {
  return Object.fromEntries(
    eventRows.map((row) => [
      row.type,
      {
        post: {
          tags: ['events'],
          summary: row.description,
          requestParams: { header: headers },
          requestBody: {
            required: true,
            content: { 'application/json': { schema: EVENT, example: { ...toExample(row) } } },
          },
          responses: {
            '2XX': { description: 'Taken: it is not posted again.' },
            '410': { description: 'Nobody wants these any more: the webhook is disabled.' },
            default: { description: 'Not taken: it is posted again, by the schedule.' },
          },
        },
      },
    ]),
  );
}
