/**
 * The words a turn is read for, by what they say about it. English, as the labelled data is: a turn in another
 * language has numbers, code and length, else no signal, and is then unknown (T4).
 * Endings don't matter (`stem`). A pair of words counts as one ("race condition").
 */
export const WORDS = {
  /** Thought in several steps. */
  deliberate:
    'prove proof derive derivation explain compare contrast analyze analyse analysis evaluate justify tradeoff trade-off ' +
    'infer deduce conclude conclusion argument assumption hypothesis hypotheses strategy optimize diagnose investigate ' +
    'critique synthesize reconcile consequence contradict contradiction paradox counterexample counterexamples rigorous ' +
    'rigorously assess invalid premise theorem lemma fallacy why root|cause by|step and|cons multi-hop reason',
  /** Analysis and text work of middling difficulty. */
  compose:
    'summarize summarise summary article essay email draft write rewrite paragraph describe review outline report blog ' +
    'document documentation presentation letter story poem improve proofread feedback brainstorm overview discuss',
  /** A story of who did what, with its order and its actors. */
  narrate:
    'he she his her him they them their said told agreed decided bought sold took gave went wanted offered paid asked ' +
    'because before after later then while during until next third second friend brother sister mother father son owner ' +
    'employee seller buyer neighbor man woman sued filed refused',
  /** What does not hold, must not be, or holds only sometimes. */
  negate: 'not except neither nor never unless without cannot false wrong incorrect least none although however only|if',
  /** Sums over things: word problems. */
  quantity:
    'each every per percent percentage half twice thrice double triple times remaining remainder left total altogether ' +
    'more less fewer average ratio cost earn spend pay price sell buy hour minute week month many much sum than',
  formal:
    'integral derivative equation matrix matrices eigenvalue polynomial vector probability variance modulo prime ' +
    'irrational converge convergence differentiate logarithm bijection isomorphic isomorphism homomorphism topology ' +
    'manifold integer quadratic inequality induction combinatorial permutation orthogonal asymptotic recurrence ' +
    'predicate logic propositional valence statistic deviation distribution hypotenuse triangle radius algebra calculus',
  code:
    'code function class method api json sql python javascript typescript java rust golang html css regex script bug ' +
    'compile compiler repo repository git commit endpoint database variable loop array async docker server npm ' +
    'component test tests pytest import module package library framework schema cli backend frontend bash shell yaml ' +
    'dockerfile kubernetes react node merge branch stack|trace unit|test pull|request',
  /** Code work in which parts far apart act on each other. */
  intricate:
    'race|condition data|race deadlock concurrency concurrent mutex refactor migrate migration architecture distributed ' +
    'consistency microservice scalability scalable memory|leak segfault latency throughput intermittent intermittently ' +
    'flaky reproduce vulnerability exploit backward-compatible backwards-compatible invariant consensus idempotent ' +
    'idempotency lock-free linearizable sharding shard debug crash bottleneck root|cause redesign services end-to-end ' +
    'across|all across|the across|our across|three corruption nondeterministic heisenbug zero-downtime dual-write',
  /** Everyday facts and definitions. */
  fact:
    'capital weather define definition meaning called known refer refers referred term synonym spell translate ' +
    'located president population timezone who founded invented born currency',
  /** One thing to fetch or to do, as tools do it. */
  errand:
    'find get show list check book cancel cancelled cancellation update add remove set send play search fetch retrieve ' +
    'open order schedule remind transfer change upgrade refund status call reserve rename sort count extract convert ' +
    'format delete turn|on turn|off look|up tell give provide display print read lookup reservation booking flight ' +
    'account user|id flights payment card calculate compute ticket seat bag bags baggage insurance voucher ' +
    'certificate passenger appointment delivery invoice subscription password reply confirm cheapest nearest economy',
  chat:
    'hi hello hey thanks thank bye goodbye cheers appreciate joke lol haha welcome good|morning how|are great ' +
    'awesome wonderful glad sorry',
  /** Terms of medicine, science and business: known or not. */
  science:
    'patient diagnosis syndrome dose artery renal symptom therapy infection receptor enzyme protein gene mutation cell ' +
    'chromosome molecule orbital quantum voltage circuit entropy momentum thermodynamic depreciation accrual audit ' +
    'elasticity monetary fiscal econometric gradient neural bayesian classifier theory social economic disease blood ' +
    'behavior growth culture political religion marketing tissue species acid atom',
  /** More than one thing wanted. */
  demand:
    'and also both additionally finally including following respectively exactly only together plus furthermore ' +
    'at|least at|most as|well no|more each|of along|with',
} as const;

export type WordKind = keyof typeof WORDS;
export const WORD_KINDS = Object.keys(WORDS) as WordKind[]; // keys of a literal object: exactly its kinds

/** One word or phrase of {@link WORDS}. A word may be of several kinds. */
export interface Entry {
  index: number;
  kinds: WordKind[];
}

/** Words cut back to what their endings share: "calculate", "calculates", "calculating". */
export function stem(word: string): string {
  let end = word.length;
  if (end > 3 && word.endsWith('s') && !word.endsWith('ss')) end -= 1;
  if (end > 5 && word.endsWith('ing', end)) end -= 3;
  else if (end > 4 && word.endsWith('ed', end)) end -= 2;
  else if (end > 4 && word.endsWith('e', end)) end -= 1;
  return end === word.length ? word : word.slice(0, end);
}

/** Stem (or two stems and a space between) to entry. */
export const LEXICON: ReadonlyMap<string, Entry> = buildLexicon();

/** Stems that begin a pair. */
export const PAIR_STARTS: ReadonlySet<string> = new Set(
  [...LEXICON.keys()].filter((key) => key.includes(' ')).map((key) => key.slice(0, key.indexOf(' '))),
);

function buildLexicon(): Map<string, Entry> {
  const lexicon = new Map<string, Entry>();
  for (const kind of WORD_KINDS) {
    for (const phrase of WORDS[kind].split(' ')) {
      const key = phrase.split('|').slice(0, 2).map(stem).join(' ');
      const entry = lexicon.get(key);
      if (entry === undefined) lexicon.set(key, { index: lexicon.size, kinds: [kind] });
      else if (!entry.kinds.includes(kind)) entry.kinds.push(kind);
    }
  }
  return lexicon;
}
