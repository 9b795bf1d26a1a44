import { firstCharacters } from '../../shared/kernel/firstCharacters.ts';

/** What the host of a link says of the file. Nobody has checked it. */
export interface LinkNames {
  readonly mimeType?: string;
  readonly filename?: string;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const NAME_CHARACTERS = 240;
const TYPE = /^[\w!#$&^.+-]{1,64}\/[\w!#$&^.+-]{1,64}$/;

/** The type and the name of a file, by the headers of its answer; the name otherwise by the end of its address. */
export function namesOfLink(address: string, headers: Headers): LinkNames {
  const [type = ''] = one(headers['content-type']).split(';');
  const mimeType = type.trim().toLowerCase();
  const name =
    nameIn(one(headers['content-disposition'])) ?? unescaped(new URL(address).pathname.split('/').at(-1) ?? '');
  const filename = firstCharacters((name ?? '').replaceAll(/\p{Cc}/gu, '').trim(), NAME_CHARACTERS);
  return {
    ...(TYPE.test(mimeType) ? { mimeType } : {}),
    ...(filename === '' ? {} : { filename }),
  };
}

/** The name in a header `Content-Disposition`. Source: RFC 6266; of its two forms the extended one comes first. */
function nameIn(disposition: string): string | undefined {
  const [, extended] = /;\s*filename\*\s*=\s*UTF-8'[\w-]*'([\w%.!~*()$&+^`|{}-]{1,1024})/i.exec(disposition) ?? [];
  if (extended !== undefined) return unescaped(extended);
  const [, quoted, plain] =
    /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.){1,512})"|([^\s;"]{1,512}))/i.exec(disposition) ?? [];
  return quoted?.replaceAll(/\\(.)/g, '$1') ?? plain;
}

function one(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
