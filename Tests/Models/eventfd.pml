/* The hand-over through an eventfd (Sources/Replay/Delivery/EventfdLane.swift): the sender pushes into a
 * ring, then adds 1 to the eventfd; the receiver sleeps until the eventfd is not 0, takes it, and pops until
 * the ring is empty. At the end the sender closes the ring and signals once more.
 *
 * Checked: every element is received and the receiver ends: no wake-up is lost. Left out: the ring's own
 * orderings, which are ring.pml's. The kernel's read and write of an eventfd are atomic (eventfd(2)).
 *
 * With the signal before the push (SIGNAL_FIRST), or with one element taken for each wake-up (POP_ONCE: an
 * eventfd adds signals up, and gives them all to one read), the receiver sleeps for ever beside an element.
 */
#ifndef COUNT
#define COUNT 5
#endif

byte ring;
bool closed;
byte counter;
byte received;
bool ended;

#ifdef SIGNAL_FIRST
#define HAND_OVER counter++; ring++
#else
#define HAND_OVER ring++; counter++
#endif

active proctype sender() {
  byte sent = 0;
  do
  :: sent < COUNT -> HAND_OVER; sent++
  :: else -> break
  od;
#ifdef SIGNAL_FIRST
  counter++;
  closed = true
#else
  closed = true;
  counter++
#endif
}

active proctype receiver() {
  do
  :: atomic { counter > 0 -> counter = 0 };
#ifdef POP_ONCE
     if
     :: ring > 0 -> ring--; received++
     :: else -> skip
     fi;
#else
     do
     :: atomic { ring > 0 -> ring--; received++ }
     :: ring == 0 -> break
     od;
#endif
     if
     :: closed && ring == 0 -> break
     :: else -> skip
     fi
  od;
  assert(received == COUNT);
  ended = true
}
