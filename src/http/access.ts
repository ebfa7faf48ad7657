import { readAccess, refreshAccess } from '../customers/access.ts';
import { AccessBook } from '../customers/access-book.ts';
import { settingsCompiler } from '../customers/compiled-settings.ts';
import type { Settings } from '../env.ts';
import { logLine } from '../log/line.ts';
import type { LogStores } from '../log/outbox.ts';

const books = new WeakMap<Settings, AccessBook>();

/** The keys this isolate knows, of this deployment. */
export function openAccess(settings: Settings, stores: LogStores): AccessBook {
  let book = books.get(settings);
  if (!book) {
    book = new AccessBook(settings.keys, settings, {
      read: (question, background) => readAccess(stores, question, background),
      refresh: (question) => refreshAccess(stores, question),
      compile: settingsCompiler(settings, settings.secrets, (problems) =>
        logLine('warn', 'settings_unresolved', { problems }),
      ),
      held: (requests) => logLine('warn', 'access_held', { requests }),
      now: () => Date.now(),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    });
    books.set(settings, book);
  }
  return book;
}
