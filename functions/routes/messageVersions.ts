import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { parseId } from '../../shared/kernel/id.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import { isVersionPlace, listVersions } from '../../shared/message/messageVersions.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { route, type Route } from '../http/route.ts';
import { findConnection } from './connections.ts';
import { limitSchema, messageVersionViewSchema, pageOf, toMessageVersionView, toPage } from './views.ts';

export interface VersionRouteDependencies extends Pick<Surroundings, 'clock'> {
  readonly connections: ConnectionStore;
  readonly messages: Pick<MessageStore, 'find'>;
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

const example = {
  data: [
    {
      at: '2026-11-28T20:00:00.000Z',
      stanzaId: '3EB0B2C68C0DADEC26AEDF',
      content: { type: 'text', text: { body: 'At the cafe at 8?' } },
    },
    {
      at: '2026-11-28T20:01:10.000Z',
      stanzaId: '3EB01F2E3D4C5B6A7980',
      content: { type: 'text', text: { body: 'At the cafe at 9?' } },
    },
  ],
  hasMore: false,
} as const;

/** The route that shows what a message has said. Its writer may edit it as often and at such length as he likes, so it has pages. */
export function messageVersionRoutes(dependencies: VersionRouteDependencies): readonly Route[] {
  const { connections, messages, clock } = dependencies;
  return [
    route('GET', '/v1/connections/{connectionId}/messages/{messageId}/versions', {
      summary: 'List what a message has said, oldest first',
      description: 'A message that was never edited has one version. Versions are kept for as long as the message.',
      query: z.strictObject({ after: z.string().optional(), limit: limitSchema }),
      answers: { status: 200, schema: pageOf(messageVersionViewSchema), example },
      handle: async ({ tenantId, parameters, query: { after, limit } }) => {
        const { connectionId } = await findConnection(connections, tenantId, parameters['connectionId']);
        const messageId = parseId('msg', parameters['messageId'] ?? '');
        const message = messageId && (await messages.find(connectionId, messageId));
        if (message === undefined) throw new AppError('message_not_found');
        if (after !== undefined && !isVersionPlace(after)) throw new AppError('invalid_cursor');
        const { createdAtMs, stanzaId, content } = message;
        const page = await listVersions(dependencies, { ...message, nowMs: clock.nowMs() }, { after, limit });
        const isNeverEdited = after === undefined && page.versions.length === 0 && page.next === undefined;
        const versions = isNeverEdited ? [{ atMs: createdAtMs, stanzaId, content }] : page.versions;
        return { status: 200, json: toPage(versions.map(toMessageVersionView), page.next) };
      },
    }),
  ];
}
