/** How much traffic: of every account with one contact of its own. */
export interface Size {
  readonly accounts: number;
  /** Texts that each account sends, in all. */
  readonly sends: number;
  /** Texts that each contact writes, in all. */
  readonly messages: number;
  /** Time between two sends of one account. */
  readonly sendEveryMs: number;
}

/** What happens in the run; always, the client stops after the first sends and starts again on the same storage. */
export interface Scenario {
  readonly name: string;
  readonly sentence: string;
  /** Contacts encrypt everything before the traffic begins, on their first session, and send it later. */
  readonly isAhead: boolean;
  /** Messages of each contact that wait for the client when it starts again. */
  readonly queuedWhileDown: number;
  /** After the start, all further sends at once, as soon as the sockets are open. */
  readonly isBurst: boolean;
  /** Each way. */
  readonly latencyMs: number;
}

export const scenarios = [
  {
    name: 'encrypted ahead',
    sentence:
      'contacts have encrypted everything on their first session; it arrives while the client restarts and sends',
    isAhead: true,
    queuedWhileDown: 6,
    isBurst: false,
    latencyMs: 0,
  },
  {
    name: 'backlog, then sends',
    sentence: 'messages wait while the client is down; when it is open again it sends everything at once',
    isAhead: false,
    queuedWhileDown: 10,
    isBurst: true,
    latencyMs: 0,
  },
  {
    name: 'normal pace',
    sentence: 'messages go to and fro with a network delay, the client restarts in the middle',
    isAhead: false,
    queuedWhileDown: 6,
    isBurst: false,
    latencyMs: 300,
  },
] as const satisfies readonly Scenario[];

/** Share of the sends that come before the restart. */
export const SENT_BEFORE_RESTART = 1 / 3;

/** 120 sends and 600 messages in all. */
export const fullSize: Size = { accounts: 20, sends: 6, messages: 30, sendEveryMs: 1_000 };
export const smallSize: Size = { accounts: 2, sends: 6, messages: 30, sendEveryMs: 200 };
