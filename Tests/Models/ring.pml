/* The ring of Sources/RingBuffer: one producer, one consumer, a sequence that each publishes and a cached
 * copy of the other's, batches of one or two, and the end of the stream.
 *
 * Spin interleaves steps and knows no weaker memory. So each acquire or release that the ring relies on is
 * a macro: without it, the two accesses that it orders may happen either way round. With all of them every
 * interleaving is right; without any single one there is an interleaving that is wrong. So each is needed,
 * and they suffice for what is modelled: words that become visible one by one, a flag at the end. That the
 * Swift program says these orderings, and no weaker ones, is what ThreadSanitizer checks (Tests/RingRaces).
 *
 * Checked: every element arrives whole, once, in order, before the end; nobody waits for ever. Bounds:
 * CAPACITY elements in SLOTS slots, COUNT elements sent, so that each slot is used several times.
 */
#ifndef CAPACITY
#define CAPACITY 2
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef COUNT
#define COUNT 6
#endif

/* An element is two words: half of one is a torn element. */
byte low[SLOTS];
byte high[SLOTS];
byte published;
byte released;
bool finished;

#define WRITE(sequence) low[(sequence) % SLOTS] = (sequence) + 1; high[(sequence) % SLOTS] = (sequence) + 1
#define READ(sequence) a = low[(sequence) % SLOTS]; b = high[(sequence) % SLOTS]

active proctype producer() {
  byte next = 0;
  byte limit = CAPACITY;
  byte batch;
  bool written;
  do
  :: next == COUNT -> break
  :: else ->
     written = false;
     if
     :: next != limit -> skip
     :: else ->
#ifdef WITHOUT_PRODUCER_ACQUIRE
        /* The slot may be written before the consumer is known to have left it. */
        if
        :: WRITE(next); written = true
        :: skip
        fi;
#endif
        released + CAPACITY != next;
        limit = released + CAPACITY
     fi;
     batch = 1;
     if
     :: limit - next > 1 && COUNT - next > 1 -> batch = 2
     :: skip
     fi;
#ifdef WITHOUT_PRODUCER_RELEASE
     if
     :: published = next + batch; written = true; WRITE(next)
     :: skip
     fi;
#endif
     if
     :: !written -> WRITE(next)
     :: else -> skip
     fi;
     if
     :: batch == 2 -> WRITE(next + 1)
     :: else -> skip
     fi;
     next = next + batch;
#ifdef WITHOUT_FLAG_RELEASE
     /* The flag may be seen before what was published last. */
     if
     :: next == COUNT -> finished = true
     :: else -> skip
     fi;
#endif
     published = next
  od;
  finished = true
}

active proctype consumer() {
  byte next = 0;
  byte limit = 0;
  byte a;
  byte b;
  bool early;
  do
  :: true ->
     early = false;
     if
     :: next != limit -> skip
     :: else ->
#ifdef WITHOUT_CONSUMER_ACQUIRE
        /* The slot may be read before it is known to be written. */
        if
        :: READ(next); early = true
        :: skip
        fi;
#endif
        if
        :: published != next -> limit = published
        :: finished ->
#ifdef WITHOUT_SECOND_LOOK
           break
#else
           /* What was published before the flag is visible after it. */
           limit = published;
           if
           :: limit == next -> break
           :: else -> skip
           fi
#endif
        fi
     fi;
#ifdef WITHOUT_CONSUMER_RELEASE
     if
     :: released = next + 1; READ(next); early = true
     :: skip
     fi;
#endif
     if
     :: !early -> READ(next)
     :: else -> skip
     fi;
     assert(a == next + 1 && b == next + 1);
     next++;
     /* Released one by one, or two together. */
     if
     :: released = next
     :: next != limit -> skip
     fi
  od;
  assert(next == COUNT)
}
