import type { Fleet, FleetWorker } from '../../ops/readFleet.ts';
import type { ConnectionHealth } from '../../ops/readHealth.ts';
import type { State } from '../../ops/readState.ts';

/** When everything in these states was read. */
const READ_AT_MS = Date.UTC(2026, 0, 1, 12);

/** A worker that is well, with two shards and ten connections, one of which waits. */
export function aWorker(id: string, overrides: Partial<FleetWorker> = {}): FleetWorker {
  return {
    id,
    state: 'ALIVE',
    generation: 1,
    startedAt: new Date(READ_AT_MS - 3_600_000).toISOString(),
    lastHeartbeatAt: new Date(READ_AT_MS - 3_000).toISOString(),
    load: { connections: 10, online: 9, waiting: 1, opened: 30, openFailed: 10, suspendedMs: 0 },
    shards: 2,
    drainRequested: false,
    full: false,
    recycle: 'none',
    suspended: false,
    ...overrides,
  };
}

/** Two workers that are well and own four shards. */
export function aFleet(overrides: Partial<Fleet> = {}): Fleet {
  return {
    mode: 'normal',
    brake: false,
    leader: 'wrk_1',
    deputy: 'wrk_2',
    unowned: 0,
    workers: [aWorker('wrk_1'), aWorker('wrk_2')],
    shards: [0, 1, 2, 3].map((shard) => ({ shard })),
    movesInFlight: [],
    ...overrides,
  };
}

/** A connection that does its work. */
export function aConnectionHealth(overrides: Partial<ConnectionHealth> = {}): ConnectionHealth {
  return {
    id: 'con_1',
    label: 'Shop',
    tenant: 'tnt_1',
    tenantName: 'Acme',
    attention: 'good',
    reason: 'Connected to WhatsApp.',
    status: 'online',
    parkedMessages: 0,
    ...overrides,
  };
}

export function aState(overrides: Partial<State> = {}): State {
  return {
    url: 'http://127.0.0.1:8080',
    readAtMs: READ_AT_MS,
    fleet: aFleet(),
    connections: [aConnectionHealth()],
    events: { lagMs: 120, measuredAt: new Date(READ_AT_MS - 5_000).toISOString(), late: false },
    queues: [{ kind: 'commands', queues: 4, waiting: 0, inFlight: 0, dead: 0 }],
    ...overrides,
  };
}
