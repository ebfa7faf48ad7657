/** A JSON text that stands in a value: it is written as it is, where parsing it would change it (`1.0`, 64-bit numbers). */
export class RawJson {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** As `JSON.stringify`, with the texts of {@link RawJson} where they stand. */
export function writeJson(value: object): string {
  return holdsRaw(value) ? written(value) : JSON.stringify(value);
}

function holdsRaw(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return value instanceof RawJson || Object.values(value).some(holdsRaw);
}

function written(value: object): string {
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return `[${value.map((one) => member(one) ?? 'null').join(',')}]`;
  const members: string[] = [];
  for (const [key, one] of Object.entries(value)) {
    const text = member(one);
    if (text !== undefined) members.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${members.join(',')}}`;
}

function member(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null ? written(value) : JSON.stringify(value);
}
