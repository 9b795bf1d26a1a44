/** The logger that Baileys asks for. It writes nothing: Baileys' lines carry keys, addresses and content. */
export interface BaileysLogger {
  level: string;
  child: (fields: Record<string, unknown>) => BaileysLogger;
  trace: (fields: unknown, message?: string) => void;
  debug: (fields: unknown, message?: string) => void;
  info: (fields: unknown, message?: string) => void;
  warn: (fields: unknown, message?: string) => void;
  error: (fields: unknown, message?: string) => void;
}

const nothing = (): void => undefined;

export const baileysLogger: BaileysLogger = {
  level: 'silent',
  child: () => baileysLogger,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
};
