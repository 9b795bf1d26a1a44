import { CfnQueryDefinition } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** A question of the runbook, ready to be asked in CloudWatch Logs Insights. */
export interface SavedQuery {
  /** The name without the stage, for example `failed-requests`. */
  readonly name: string;
  /** The log groups, without `/holdfast/<stage>/`. */
  readonly groups: readonly string[];
  readonly lines: readonly string[];
}

const everywhere = ['api', 'admin', 'ingest', 'deliver', 'reconcile', 'dispatch', 'archive', 'task-stopped', 'worker'];

export const savedQueries: readonly SavedQuery[] = [
  {
    name: 'errors',
    groups: everywhere,
    lines: [
      'filter level = "error"',
      'stats count(*) as times, max(@timestamp) as latest by process, message, error.name, error.message',
      'sort times desc',
    ],
  },
  {
    // A person replaces the id below before running the query.
    name: 'one-connection',
    groups: everywhere,
    lines: [
      'filter connectionId = "con_..."',
      'fields @timestamp, process, message, from, to, input, cause, code, error.message',
      'sort @timestamp asc',
    ],
  },
  {
    // The query follows one id from the API call over the worker to the webhook. A person replaces the id below before
    // running it.
    name: 'one-request',
    groups: everywhere,
    lines: [
      'filter correlationId = "cor_..."',
      'fields @timestamp, process, message, httpStatus, outcome, messageId, eventId',
      'sort @timestamp asc',
    ],
  },
  {
    name: 'failed-requests',
    groups: ['api', 'admin'],
    lines: [
      'filter message = "request failed"',
      'stats count(*) as times by code, error.name, error.message, bin(5m)',
      'sort times desc',
    ],
  },
  {
    name: 'slow-routes',
    groups: ['api', 'admin'],
    lines: [
      'filter message = "request answered"',
      'stats count(*) as calls, pct(durationMs, 50) as p50, pct(durationMs, 99) as p99 by method, route',
      'sort p99 desc',
    ],
  },
  {
    name: 'busiest-tenants',
    groups: ['api'],
    lines: [
      'filter message = "request answered"',
      'stats count(*) as calls, sum(durationMs) as milliseconds by tenantId',
      'sort calls desc',
      'limit 20',
    ],
  },
  {
    name: 'closed-sockets',
    groups: ['worker'],
    lines: [
      'filter message = "connection changed state" and input = "socket_closed"',
      'stats count(*) as times, count_distinct(connectionId) as connections by code, cause, bin(15m)',
      'sort times desc',
    ],
  },
  {
    name: 'restless-connections',
    groups: ['worker'],
    lines: [
      'filter message = "connection changed state"',
      'stats count(*) as changes by tenantId, connectionId',
      'sort changes desc',
      'limit 20',
    ],
  },
  {
    name: 'unacknowledged-sends',
    groups: ['worker'],
    lines: [
      'filter message = "send not acknowledged" or message = "parked message could not be sent"',
      'stats count(*) as times, max(@timestamp) as latest by tenantId, connectionId',
      'sort times desc',
    ],
  },
  {
    name: 'moves-of-shards',
    groups: ['worker'],
    lines: [
      'filter message = "shard claimed" or message = "shard offered" or message = "offer withdrawn" or message = "shard lost"',
      'fields @timestamp, message, shard, epoch, reason, outcome, workerId',
      'sort @timestamp asc',
    ],
  },
  {
    name: 'suspensions',
    groups: ['worker'],
    lines: [
      'filter message = "heartbeat was not answered" or message = "resumed" or message = "worker lease is dead"',
      'fields @timestamp, workerId, message, error.name, error.message',
      'sort @timestamp asc',
    ],
  },
  {
    name: 'refused-writes',
    groups: ['worker'],
    lines: [
      'filter error.name = "OwnershipLostError" or error.cause.name = "OwnershipLostError"',
      'fields @timestamp, workerId, shard, epoch, connectionId, message, error.message',
      'sort @timestamp asc',
    ],
  },
  {
    name: 'events-that-come-again',
    groups: ['ingest'],
    lines: [
      'filter message = "facts could not be recorded and come again" or message = "facts are not valid and go to the dead letters"',
      'stats count(*) as times, max(receiveCount) as receives by tenantId, connectionId, message, error.message',
      'sort times desc',
    ],
  },
  {
    name: 'failed-deliveries',
    groups: ['deliver'],
    lines: [
      'filter message = "delivery tried" and outcome = "failed"',
      'stats count(*) as times, pct(durationMs, 99) as p99 by tenantId, endpointId, httpStatus, reason',
      'sort times desc',
    ],
  },
  {
    name: 'cold-starts',
    groups: ['api', 'admin', 'ingest', 'deliver'],
    lines: [
      'filter @type = "REPORT"',
      'stats count(*) as calls, count(@initDuration) as starts, max(@initDuration) as slowest, max(@maxMemoryUsed / 1e6) as memory by @log',
    ],
  },
];

/** Saves the queries under the stage's name. */
export function addSavedQueries(scope: Construct, stage: string): void {
  for (const { name, groups, lines } of savedQueries) {
    new CfnQueryDefinition(scope, `query-${name}`, {
      name: `${stage}/${name}`,
      logGroupNames: groups.map((group) => `/holdfast/${stage}/${group}`),
      queryString: lines.join('\n| '),
    });
  }
}
