import type { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import type { Spoken } from '../spokenKind.ts';

type Place = AskedOf<'location'>;

const toLocation = ({ latitude, longitude, name, address, url }: Place): proto.Message.ILocationMessage => ({
  degreesLatitude: latitude,
  degreesLongitude: longitude,
  ...(name === undefined ? {} : { name }),
  ...(address === undefined ? {} : { address }),
  ...(url === undefined ? {} : { url }),
});

export const location = {
  toWire: (place, { contextInfo }) => ({
    message: { locationMessage: { ...toLocation(place), ...(contextInfo === undefined ? {} : { contextInfo }) } },
  }),
  toQuoted: (place) => ({ locationMessage: toLocation(place) }),
} as const satisfies Spoken<Place>;
