import { ChangeMessageVisibilityCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { makeDeliverHandler } from '../../../functions/deliver/handler.ts';
import { WINDOW_MS, windowOf } from '../../../shared/message/windowNotes.ts';
import { attemptPartition, WAITING_PREFIX } from '../../../shared/platform/keys.ts';
import { allOf, queryItems } from '../../../shared/platform/pages.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import type { Delivery } from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import type { WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { releaseDue } from '../../../shared/webhook/releaseDeliveries.ts';
import { aRecord, takeDeliveries, type QueueStack } from '../queueStack.ts';

/** A message of the queue in the time of the test, which goes from one thing that happens to the next. */
export interface Shown {
  readonly atMs: number;
  readonly delivery: Delivery;
  readonly receiveCount: number;
}

/** The deliveries queue in the time of a test: what is hidden is shown at its time, and what was put aside is released at its own. */
export function queueInTime(stack: QueueStack, poster: Pick<WebhookPoster, 'post'>) {
  const shown = (delivery: Delivery): Shown => ({ atMs: stack.clock.nowMs(), delivery, receiveCount: 1 });
  /** Has an instance try a message. Returns the message as it is shown again; undefined when it left the queue. */
  const attempt = async ({ delivery, receiveCount }: Shown): Promise<Shown | undefined> => {
    let hiddenMs = 30_000;
    const send = (command: Parameters<SQSClient['send']>[0]) => {
      if (!(command instanceof ChangeMessageVisibilityCommand)) return stack.queue.send(command);
      hiddenMs = Number(command.input.VisibilityTimeout) * 1_000;
      return Promise.resolve({});
    };
    const queue = Object.assign(Object.create(stack.queue) as SQSClient, { send });
    const record = aRecord(JSON.stringify(delivery));
    const attributes = { ...record.attributes, ApproximateReceiveCount: String(receiveCount) };
    const handler = makeDeliverHandler({ ...stack, poster, queue });
    const { batchItemFailures } = await handler({ Records: [{ ...record, attributes }] });
    if (batchItemFailures.length === 0) return undefined;
    return { atMs: stack.clock.nowMs() + hiddenMs, delivery, receiveCount: receiveCount + 1 };
  };
  /** When the next delivery is due that was put aside; undefined where there is none. */
  const nextDue = async ({ endpointId }: Endpoint): Promise<number | undefined> => {
    const rows = queryItems(stack.table, {
      TableName: tableName(stack.stage, 'core'),
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': attemptPartition(endpointId), ':prefix': WAITING_PREFIX },
      ConsistentRead: true,
    });
    const dues = (await allOf(rows)).flatMap(({ dueAtMs }) => (typeof dueAtMs === 'number' ? [dueAtMs] : []));
    return dues.length === 0 ? undefined : Math.min(...dues);
  };
  const goTo = (atMs: number): void => stack.clock.advance(Math.max(0, atMs - stack.clock.nowMs()));
  /**
   * Goes on in time until no message is shown any more and nothing was put aside, or until a time. Returns what is left in the queue.
   */
  const goOn = async (endpoint: Endpoint, first: readonly Shown[], untilMs = Infinity): Promise<readonly Shown[]> => {
    let queue = [...first, ...(await takeDeliveries(stack)).map(shown)];
    for (let turn = 0; turn < 2_000; turn += 1) {
      const next = queue.toSorted((left, right) => left.atMs - right.atMs)[0];
      const dueAtMs = await nextDue(endpoint);
      if (Math.min(next?.atMs ?? Infinity, dueAtMs ?? Infinity) >= untilMs) {
        if (untilMs !== Infinity) goTo(untilMs);
        return queue;
      }
      if (next !== undefined && (dueAtMs === undefined || next.atMs <= dueAtMs)) {
        queue = queue.filter((one) => one !== next);
        goTo(next.atMs);
        const again = await attempt(next);
        if (again !== undefined) queue.push(again);
      } else if (dueAtMs !== undefined) {
        // Reconcile comes to a window when it is over.
        goTo(dueAtMs + WINDOW_MS);
        await releaseDue(stack, windowOf(dueAtMs), { nowMs: stack.clock.nowMs(), most: 100 });
      }
      queue.push(...(await takeDeliveries(stack)).map(shown));
    }
    throw new Error('the deliveries do not end');
  };
  return { shown, attempt, goOn };
}
