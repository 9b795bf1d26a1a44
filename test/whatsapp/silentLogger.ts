/** The logger that Baileys asks for, saying nothing: its lines carry keys and content. */
export { baileysLogger as silentLogger } from '../../worker/socket/repairs/baileysLogger.ts';
