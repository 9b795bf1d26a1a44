import { LRUCache } from 'lru-cache';
import { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { forTerminal } from '../../shared/kernel/forTerminal.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { ConnectionId, TenantId } from '../../shared/kernel/id.ts';
import { Scope } from '../../shared/kernel/scope.ts';
import { makeDocumentClient } from '../../shared/platform/aws.ts';
import type { StoreConfig } from '../../shared/platform/config.ts';
import type { Trouble } from './trouble.ts';
import { timeOf, TroubleTeller } from './troubleTeller.ts';

/** A look-up is for a person who reads along; without an answer soon, the id has to do. */
const LABEL_WITHIN_MS = 500;
const LABELS_KEPT = 1_000;
/** A label can be changed. */
const LABEL_MS = 60_000;

/** What the embedded stack says to a person while it runs. */
export class Terminal {
  readonly #say: (line: string) => void;
  readonly #scope = new Scope('terminal');
  readonly #labels = new LRUCache<string, { readonly label: string | undefined }>({ max: LABELS_KEPT, ttl: LABEL_MS });
  readonly #teller: TroubleTeller;
  #connections: Pick<ConnectionStore, 'find'> | undefined;

  constructor(say: (line: string) => void) {
    this.#say = say;
    this.#teller = new TroubleTeller({
      say,
      nowMs: systemClock.nowMs,
      scope: this.#scope,
      labelOf: (connection) => this.#labelOf(connection),
    });
  }

  /** A line about something that happened just now. */
  readonly say = (line: string): void => this.#say(`${timeOf(systemClock.nowMs())}  ${line}`);

  readonly tell = (trouble: Trouble): void => this.#teller.tell(trouble);

  /** From now on connections are called by their labels. */
  findLabelsIn(config: StoreConfig): void {
    const table = makeDocumentClient(config);
    this.#scope.hold('socket', () => table.destroy());
    this.#connections = new ConnectionStore({ table, stage: config.stage });
  }

  /** What was told is said before this resolves; nothing is after it. */
  async stop(): Promise<void> {
    await this.#teller.settled();
    await this.#scope.close();
  }

  async #labelOf({ tenantId, connectionId }: NonNullable<Trouble['connection']>): Promise<string | undefined> {
    const known = this.#labels.get(connectionId);
    if (known !== undefined) return known.label;
    const connections = this.#connections;
    if (connections === undefined) return undefined;
    const found = await withDeadline('a look at a label', LABEL_WITHIN_MS, () =>
      connections.find(tenantId as TenantId, connectionId as ConnectionId),
    ).catch(() => undefined);
    const label = found?.label === undefined ? undefined : forTerminal(found.label);
    this.#labels.set(connectionId, { label });
    return label;
  }
}
