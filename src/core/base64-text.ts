const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const DIGITS = new Map(
  Array.from(`${ALPHABET}-_`, (digit, index) => [digit, index < 64 ? index : index - 2]),
);

/**
 * The UTF-8 text that base64 (or its URL form) stands for; null where it is neither. The core has no `atob` or
 * `TextDecoder`: those are the platform's.
 * @example textOfBase64('R3LDvMOfZQ==') // 'Grüße'
 */
export function textOfBase64(base64: string): string | null {
  let bits = 0;
  let held = 0;
  const bytes: string[] = [];
  for (const digit of base64.replace(/[\s=]+/g, '')) {
    const value = DIGITS.get(digit);
    if (value === undefined) return null;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push(`%${((held >> bits) & 0xff).toString(16).padStart(2, '0')}`);
  }
  try {
    return decodeURIComponent(bytes.join(''));
  } catch {
    return null;
  }
}
