/**
 * The words a turn is read for, by what they say about it. English, as the labelled data is: a turn in another
 * language has numbers, code and length, else no signal, and is then unknown (T4).
 * Endings don't matter (lexicon.ts). `race|condition` is a pair that counts as one.
 */
export const WORDS = {
  /** Told to think in several steps. */
  deliberate:
    'prove derive explain compare contrast analyze analyse evaluate justify infer deduce diagnose investigate critique ' +
    'synthesize reconcile assess argue verify trace identify determine show|that reason think|through plan design ' +
    'work|out figure|out',
  /** What such thought is about, wherever it stands. */
  rigor:
    'prove derive proof theorem lemma tradeoff trade-off hypothesis hypotheses contradiction paradox counterexample rigorous ' +
    'rigorously root|cause root-cause by|step and|cons multi-hop edge|case correctness confounder causal premise fallacy ' +
    'inference invariant worst-case',
  /** Told to work on text. */
  compose:
    'summarize summarise write rewrite draft describe review outline improve proofread brainstorm discuss document ' +
    'paraphrase simplify polish edit compose plan recommend suggest give|me',
  /** Told to work on programs. */
  build:
    'implement refactor debug migrate optimize fix redesign build create add convert port test code develop integrate ' +
    'upgrade extend rewrite remove|the parallelize',
  /** A story of who did what, with its order and its actors. */
  narrate:
    'he she his her him they them their said told agreed decided bought sold took gave went wanted offered paid asked ' +
    'because before after later then while during until next third second friend brother sister mother father son owner ' +
    'employee seller buyer neighbor man woman sued filed refused',
  /** What does not hold, must not be, or holds only sometimes. */
  negate:
    'not except neither nor never unless without cannot false wrong incorrect least none although however only|if',
  /** Sums over things: word problems. */
  quantity:
    'each every per percent percentage half twice thrice double triple times remaining remainder left total altogether ' +
    'more less fewer average ratio cost earn spend pay price sell buy hour minute week month many much sum than',
  formal:
    'integral derivative equation matrix matrices eigenvalue polynomial vector probability variance modulo prime ' +
    'irrational converge convergence diverge differentiate logarithm bijection isomorphic isomorphism homomorphism ' +
    'topology manifold integer quadratic inequality induction combinatorial permutation orthogonal asymptotic ' +
    'recurrence predicate logic propositional statistic deviation distribution hypotenuse algebra calculus gradient ' +
    'bound theorem lemma finite infinitely cyclic',
  code:
    'code function class method api json sql python javascript typescript java rust golang html css regex script bug ' +
    'compile compiler repo repository git commit endpoint database variable loop array async docker server npm ' +
    'component test tests pytest import module package library framework schema cli backend frontend bash shell yaml ' +
    'dockerfile kubernetes react node merge branch stack|trace unit|test pull|request service program c++ readme',
  /** Code work in which parts far apart act on each other. */
  intricate:
    'race|condition data|race deadlock concurrency concurrent concurrently mutex migration architecture distributed ' +
    'consistency microservice scalability scalable memory|leak segfault latency throughput intermittent intermittently ' +
    'flaky reproduce vulnerability exploit backward-compatible backwards-compatible invariant consensus idempotent ' +
    'idempotency lock-free linearizable sharding sharded bottleneck root|cause root-cause services end-to-end corruption ' +
    'across|all across|the across|our across|three across|region nondeterministic zero-downtime downtime use-after-free ' +
    'thread lock thread-safe goroutine authentication backward|compatibility cache|invalidation production crash kernel replay partition dependencies under|load',
  /** Everyday facts and definitions. */
  fact:
    'capital weather define definition meaning called known refer refers referred term synonym spell translate ' +
    'located president population timezone who founded invented born currency',
  /** Told to fetch or do one thing, as a tool does it. */
  errand:
    'find get show list check book cancel update add remove set send play search fetch retrieve open order schedule ' +
    'remind transfer change upgrade refund call reserve rename sort count extract convert format delete turn look tell ' +
    'provide display print read lookup reply confirm define translate start stop create',
  /** What a service desk handles, wherever it stands. */
  desk:
    'reservation booking flight account flights payment card ticket seat bag bags baggage insurance voucher certificate ' +
    'passenger appointment delivery invoice subscription password economy id refund user|id status profile cancellation ' +
    'checked luggage trip policy membership gold silver',
  chat:
    'hi hello hey thanks thank bye goodbye cheers appreciate joke lol haha welcome good|morning how|are great ' +
    'awesome wonderful glad sorry',
  /** Terms of medicine, science and business: known or not. */
  science:
    'patient diagnosis syndrome dose artery renal symptom therapy infection receptor enzyme protein gene mutation cell ' +
    'chromosome molecule orbital quantum voltage circuit entropy momentum thermodynamic depreciation accrual audit ' +
    'elasticity monetary fiscal econometric neural bayesian classifier theory social economic disease blood ' +
    'behavior growth culture political religion marketing tissue species acid atom',
  /** More than one thing wanted. */
  demand:
    'and also both additionally finally including following respectively exactly only together plus furthermore ' +
    'at|least at|most as|well no|more each|of along|with',
} as const;

/** Kinds that count only where a turn tells to do something: "explain …", not "the explanation he gave". */
export const TOLD: ReadonlySet<WordKind> = new Set<WordKind>(['deliberate', 'compose', 'build', 'errand']);

/** Keywords that make a turn harder: they need other words to be about (T7). */
export const HARDENING: ReadonlySet<WordKind> = new Set<WordKind>([
  'deliberate',
  'rigor',
  'build',
  'formal',
  'code',
  'intricate',
]);

/** A verb after one of these, or at the start of a sentence, is one told to do. */
export const BEFORE_TOLD = "and then please to you also or now first help just me let's must should";

export type WordKind = keyof typeof WORDS;
export const WORD_KINDS = Object.keys(WORDS) as WordKind[]; // keys of a literal object: exactly its kinds
