import type { ObjectConfig } from '../../shared/platform/objectConfig.ts';
import type { StoreConfig } from '../../shared/platform/storeConfig.ts';

/** Rates that no test comes near which is about something else: its calls are always the same ones. */
export const generousPlans = {
  standard: {
    requests: 1_000_000,
    requestsOfKey: 1_000_000,
    messagesPerMinute: 1_000_000,
    messagesPerDay: 100_000_000,
    actions: 1_000_000,
    pairings: 100_000,
    pairingsOfConnection: 10_000,
    pairingsOfNumber: 10_000,
    unpairedConnections: 1_000,
  },
} as const;

/** Settings that lead to the emulators. The SDK wants credentials; the emulators look at none. */
export function aStoreConfig(
  emulators: {
    readonly dynamoDb?: { readonly endpoint: string };
    readonly queues?: { readonly endpoint: string; readonly queueUrlBase: string };
  },
  overrides: Partial<StoreConfig & ObjectConfig> = {},
): StoreConfig & ObjectConfig {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'local';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'local';
  return {
    stage: 'test',
    region: 'us-east-1',
    dynamoDbEndpoint: emulators.dynamoDb?.endpoint,
    sqsEndpoint: emulators.queues?.endpoint,
    queueUrlBase: emulators.queues?.queueUrlBase ?? 'http://127.0.0.1:1/000000000000/',
    shardCount: 2,
    shardCap: 50,
    plans: generousPlans,
    eventQueues: 1,
    logLevel: 'silent',
    maxConnections: 50,
    storeTimeoutMs: 5_000,
    mediaBucket: 'test-media',
    // Nothing answers there: tests that store objects name an emulator.
    s3Endpoint: 'http://127.0.0.1:1',
    ...overrides,
  };
}
