/** Puts an entry into a map as its newest; the oldest go where there are more than `most`: an isolate's memory is shared. */
export function remember<T>(map: Map<string, T>, name: string, value: T, most: number): void {
  map.delete(name);
  map.set(name, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
