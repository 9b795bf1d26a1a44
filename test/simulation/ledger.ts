import { DeleteMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, WorkerId } from '../../shared/kernel/id.ts';
import type { TableChange } from './aws/fakeDynamoDb.ts';
import type { SeenStanza } from './fakeWhatsApp.ts';
import type { Machine } from './machine.ts';
import type { Arrival } from './network.ts';

/** One owner of a shard, from a moment on. */
interface Ownership {
  readonly owner: WorkerId | undefined;
  readonly epoch: number;
  readonly atMs: number;
}

/** A broken promise, as it is found. */
export interface Violation {
  readonly promise: 'one-owner' | 'no-key-reuse' | 'once-out' | 'in-order' | 'nothing-lost-in' | 'no-storm' | 'visible';
  readonly atMs: number;
  readonly what: string;
}

export interface LedgerCounts {
  commits: number;
  stanzas: number;
  deletes: number;
  claims: number;
  gives: number;
  releases: number;
  /** Effects that were made by the owner and took place after another had claimed: late, and allowed. */
  late: number;
}

/**
 * Watches every effect as it takes place and holds it against who owned the shard when the worker made it. What a worker
 * made while it was the owner may arrive late; what it made after another's claim must not exist.
 */
export class Ledger {
  readonly violations: Violation[] = [];
  readonly counts: LedgerCounts = { commits: 0, stanzas: 0, deletes: 0, claims: 0, gives: 0, releases: 0, late: 0 };
  /** Ids of messages in the order in which the queues took their commands. */
  readonly enqueued = new Set<string>();
  readonly #nowMs: () => number;
  readonly #shardOf: (connectionId: ConnectionId) => number;
  readonly #history = new Map<number, Ownership[]>();
  readonly #workers = new Map<Machine, WorkerId>();
  readonly #steps = new Map<string, string>();
  /** What was in each stanza that was on the wire. */
  readonly #secrets = new Map<string, string>();
  /** Stanzas that arrived after another's claim, by connection and the epoch of that claim. A repeated one counts once. */
  readonly #flushed = new Map<string, Set<string>>();

  constructor(nowMs: () => number, shardOf: (connectionId: ConnectionId) => number) {
    this.#nowMs = nowMs;
    this.#shardOf = shardOf;
  }

  /** Counts the effects of a machine as those of this worker from now on. */
  register(machine: Machine, workerId: WorkerId): void {
    this.#workers.set(machine, workerId);
  }

  report(promise: Violation['promise'], what: string): void {
    this.violations.push({ promise, atMs: this.#nowMs(), what });
  }

  ownerOf(shard: number): WorkerId | undefined {
    return this.#history.get(shard)?.at(-1)?.owner;
  }

  onTableChange({ tableName, before, after }: TableChange): void {
    const pk = String(after?.['pk']);
    const [version, newVersion] = [Number(before?.['version'] ?? 0), Number(after?.['version'] ?? 0)];
    if (tableName.endsWith('-sessions') && version > 0 && newVersion <= version) {
      this.report('no-key-reuse', `${String(after?.['sk'])} went from version ${version} to ${newVersion}`);
    }
    if (!tableName.endsWith('-fleet') || !pk.startsWith('SHARD#')) return;
    const shard = Number(pk.slice('SHARD#'.length));
    const epoch = after?.['epoch'] as number;
    if (before?.['epoch'] === epoch) return;
    const owner = after?.['owner'] as WorkerId | undefined;
    const history = this.#history.get(shard) ?? [];
    if (epoch <= (history.at(-1)?.epoch ?? 0)) this.report('one-owner', `epoch of shard ${shard} fell to ${epoch}`);
    history.push({ owner, epoch, atMs: this.#nowMs() });
    this.#history.set(shard, history);
    if (owner === undefined) this.counts.releases += 1;
    else if (before?.['next'] === owner) this.counts.gives += 1;
    else this.counts.claims += 1;
  }

  /** A command that a store or queue accepted. */
  onEffect(command: unknown, { machine, issuedAtMs }: Arrival): void {
    if (command instanceof PutCommand && command.input.TableName?.endsWith('-sessions') === true) {
      const connectionId = String(command.input.Item?.['pk']).split('#')[2] as ConnectionId;
      this.counts.commits += 1;
      this.#judge(machine, this.#shardOf(connectionId), issuedAtMs, `commit of ${connectionId}`);
    }
    if (command instanceof SendMessageCommand && command.input.QueueUrl?.includes('-command-') === true) {
      const { messageId } = JSON.parse(command.input.MessageBody ?? '{}') as { readonly messageId?: string };
      if (messageId !== undefined) this.enqueued.add(messageId);
    }
    const queue =
      command instanceof DeleteMessageBatchCommand ? /-command-(\d+)/.exec(command.input.QueueUrl ?? '') : null;
    if (queue !== null) {
      this.counts.deletes += 1;
      this.#judge(machine, Number(queue[1]), issuedAtMs, 'delete of a command');
    }
  }

  /** A stanza that leaves a worker must be its owner's, also when its socket is cut before it arrives. */
  onWire(machine: Machine, connectionId: ConnectionId, issuedAtMs: number): void {
    this.#judge(machine, this.#shardOf(connectionId), issuedAtMs, `stanza of ${connectionId}`);
  }

  /** A stanza that reached the server. */
  onStanza({ connectionId, issuedAtMs, stanzaId, step, secret, accepted }: SeenStanza): void {
    this.counts.stanzas += 1;
    const shard = this.#shardOf(connectionId);
    const key = `${connectionId} ${step}`;
    const earlier = this.#steps.get(key);
    if (earlier !== undefined) {
      this.report('no-key-reuse', `${connectionId}: step ${step} for ${earlier} and for ${stanzaId}`);
    }
    this.#steps.set(key, stanzaId);
    if ((this.#secrets.get(stanzaId) ?? secret) !== secret) {
      this.report('once-out', `${stanzaId} of ${connectionId} was made twice, and says something else each time`);
    }
    this.#secrets.set(stanzaId, secret);
    if (!accepted || !this.#isLate(shard, issuedAtMs)) return;
    const claim = `${connectionId} ${this.#history.get(shard)?.at(-1)?.epoch}`;
    const flushed = (this.#flushed.get(claim) ?? new Set()).add(stanzaId);
    this.#flushed.set(claim, flushed);
    if (flushed.size > 1) this.report('one-owner', `more than one stanza of ${connectionId} flushed after a claim`);
  }

  #judge(machine: Machine, shard: number, issuedAtMs: number, what: string): void {
    const workerId = this.#workers.get(machine);
    if (workerId === undefined) return;
    const history = this.#history.get(shard) ?? [];
    const then = history.findLast(({ atMs }) => atMs <= issuedAtMs);
    if (then?.owner !== workerId) {
      this.report('one-owner', `${what} by ${machine.name} while ${String(then?.owner)} owned shard ${shard}`);
    } else if (this.#isLate(shard, issuedAtMs)) this.counts.late += 1;
  }

  /** Whether something takes place after the ownership under which it was made. */
  #isLate(shard: number, issuedAtMs: number): boolean {
    const history = this.#history.get(shard) ?? [];
    return history.at(-1)?.epoch !== history.findLast(({ atMs }) => atMs <= issuedAtMs)?.epoch;
  }
}
