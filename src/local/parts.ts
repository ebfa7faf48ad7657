import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import type { DataFolder } from './data-folder.ts';
import { removeStoresFile } from './stores-file.ts';

/** Milliseconds that a stop gives: requests and queue to finish, the gateway to end, the stores to write. Together under ten seconds. */
const GRACE = 6000;
const GATEWAY_LIMIT = 1000;
const STORES_LIMIT = 2500;

/** How many requests a stop had to cut; null where the gateway did not even say that, and had to be killed. */
export interface Stopped {
  cut: number | null;
}

/** The processes of one stack, in the order they are started. */
export class Parts {
  readonly #folder: DataFolder;
  readonly #output: (line: string) => void;
  readonly #children: Child[] = [];
  #stopping: Promise<Stopped> | undefined;
  /** Settles when one ends unasked, with a sentence that says which. */
  readonly death: Promise<string>;
  #reportDeath: (text: string) => void = () => {};

  constructor(folder: DataFolder, output: (line: string) => void) {
    this.#folder = folder;
    this.#output = output;
    this.death = new Promise((resolve) => {
      this.#reportDeath = resolve;
    });
  }

  start(name: string, file: string): Child {
    const child = startChild(
      name,
      join(import.meta.dirname, file),
      join(this.#folder.path, 'cache'),
      this.#output,
    );
    this.#children.push(child);
    child.ended.then(({ asked, how }) => {
      if (!asked) this.#reportDeath(`The ${name} process ${how}.`);
    });
    return child;
  }

  async deathAsError(): Promise<never> {
    throw new Error(await this.death);
  }

  /** The gateway first, while the stores it settles into still run. */
  stop(grace = GRACE): Promise<Stopped> {
    this.#stopping ??= this.#putAway(grace);
    return this.#stopping;
  }

  async #putAway(grace: number): Promise<Stopped> {
    const gateway = this.#children.find(({ name }) => name === 'gateway');
    const cut = await gateway?.stop<number>(grace, grace + GATEWAY_LIMIT);
    removeStoresFile(this.#folder.path);
    await Promise.all(this.#children.map((child) => child.stop(0, STORES_LIMIT)));
    await this.#folder.release();
    return { cut: cut ?? null };
  }

  kill(): void {
    removeStoresFile(this.#folder.path);
    for (const child of this.#children) child.kill();
  }
}
