import type { AppStates } from './appStateServer.ts';
import type { Calls } from './calls.ts';
import type { Channels } from './channels.ts';
import type { Faults, Strike } from './faults.ts';
import type { Groups } from './groups.ts';
import type { Logins } from './logins.ts';
import type { MediaLog } from './media/mediaLog.ts';
import type { MediaTokens } from './media/mediaTokens.ts';
import type { PhoneFiles } from './media/phoneFiles.ts';
import type { Pictures } from './media/pictures.ts';
import type { Newsletters } from './newsletters.ts';
import type { Pairing } from './pairing.ts';
import type { PhoneTraffic } from './phoneTraffic.ts';
import type { Profiles } from './profiles.ts';
import type { Relay } from './relay.ts';
import type { Stats } from './stats.ts';
import type { Account, LinkedDevice, World } from './world.ts';

/** The simulator as the control API plays on it. */
export interface Simulated {
  readonly world: World;
  readonly faults: Faults;
  readonly relay: Relay;
  readonly phones: PhoneTraffic;
  readonly groups: Groups;
  readonly pairing: Pairing;
  readonly logins: Logins;
  readonly calls: Calls;
  readonly appStates: AppStates;
  readonly files: PhoneFiles;
  readonly newsletters: Newsletters;
  readonly channels: Channels;
  readonly pictures: Pictures;
  readonly profiles: Profiles;
  readonly tokens: MediaTokens;
  readonly mediaLog: MediaLog;
  readonly addPhone: (number: string, name: string) => Promise<Account>;
  readonly removeDevice: (account: Account, device: LinkedDevice) => void;
  readonly reinstall: (account: Account) => Promise<void>;
  readonly strike: (strike: Strike) => number;
  readonly stats: () => Stats;
}
