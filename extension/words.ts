/** What the window says; `{site}` is the host of the pairing page. */
interface Words {
  readonly title: string;
  readonly asks: string;
  readonly means: string;
  readonly use: string;
  readonly cancel: string;
}

export const words = {
  en: {
    title: 'Use your WhatsApp passkey?',
    asks: '{site} wants to link a device to your WhatsApp account, and WhatsApp asks for your passkey.',
    means: 'The device can then read and send messages. Go on only if you have just begun to link one there.',
    use: 'Use my passkey',
    cancel: 'Cancel',
  },
  de: {
    title: 'Ihren WhatsApp-Passkey verwenden?',
    asks: '{site} will ein Gerät mit Ihrem WhatsApp-Konto verknüpfen, und WhatsApp verlangt Ihren Passkey.',
    means:
      'Das Gerät kann dann Nachrichten lesen und senden. Machen Sie nur weiter, wenn Sie dort gerade eines verknüpfen.',
    use: 'Meinen Passkey verwenden',
    cancel: 'Abbrechen',
  },
  es: {
    title: '¿Usar tu clave de acceso de WhatsApp?',
    asks: '{site} quiere vincular un dispositivo a tu cuenta de WhatsApp, y WhatsApp pide tu clave de acceso.',
    means: 'El dispositivo podrá leer y enviar mensajes. Continúa solo si acabas de empezar a vincular uno allí.',
    use: 'Usar mi clave de acceso',
    cancel: 'Cancelar',
  },
  pt: {
    title: 'Usar sua chave de acesso do WhatsApp?',
    asks: '{site} quer conectar um dispositivo à sua conta do WhatsApp, e o WhatsApp pede sua chave de acesso.',
    means: 'O dispositivo poderá ler e enviar mensagens. Continue somente se você acabou de começar a conectar um lá.',
    use: 'Usar minha chave de acesso',
    cancel: 'Cancelar',
  },
  it: {
    title: 'Usare la tua passkey di WhatsApp?',
    asks: '{site} vuole collegare un dispositivo al tuo account WhatsApp, e WhatsApp chiede la tua passkey.',
    means: 'Il dispositivo potrà leggere e inviare messaggi. Continua solo se hai appena iniziato a collegarne uno lì.',
    use: 'Usa la mia passkey',
    cancel: 'Annulla',
  },
  id: {
    title: 'Gunakan kunci sandi WhatsApp Anda?',
    asks: '{site} ingin menautkan perangkat ke akun WhatsApp Anda, dan WhatsApp meminta kunci sandi Anda.',
    means:
      'Perangkat itu dapat membaca dan mengirim pesan. Lanjutkan hanya jika Anda baru saja mulai menautkannya di sana.',
    use: 'Gunakan kunci sandi saya',
    cancel: 'Batal',
  },
} as const satisfies Readonly<Record<string, Words>>;

/** The first of the browser's languages that the window speaks, else English. */
export function languageOf(browser: readonly string[]): keyof typeof words {
  const spoken = browser.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => Object.hasOwn(words, tag));
  return (spoken as keyof typeof words | undefined) ?? 'en';
}
