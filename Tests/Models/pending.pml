/* The pending bit of one vector between the device thread, which sets it and hands the interrupt over, and
 * the vCPU, whose acknowledge goes back to the device thread by a ring (Sources/Replay/Paced). The vCPU takes
 * an interrupt when it sees it; the bit is cleared by the device thread, which looks for acknowledges before
 * it translates the next interrupt.
 *
 * Checked: never are two interrupts of the vector in flight; each is taken or coalesced; at the end the bit is
 * clear and nobody waits. Not claimed: that a coalesced one is followed by one that is taken. One that comes
 * between the vCPU's taking and the clearing of the bit coalesces with what was taken already; hardware, which
 * clears the bit as it is taken, would deliver it. A run counts it as coalesced.
 *
 * With CLEAR_AT_ONCE the device thread clears the bit itself when it hands over, as if the guest had taken
 * it: then two of one vector are in flight, which the interrupt controller never shows.
 */
#ifndef COUNT
#define COUNT 5
#endif

bool pending;
byte flying;
byte acknowledges;
byte taken;
byte coalesced;
bool finished;

active proctype device() {
  byte raised = 0;
  do
  :: atomic { acknowledges > 0 -> acknowledges--; pending = false }
  :: raised < COUNT && acknowledges == 0 ->
     atomic {
       raised++;
       if
       :: pending -> coalesced++
       :: else -> pending = true; flying++
       fi;
       assert(flying <= 1)
     };
#ifdef CLEAR_AT_ONCE
     pending = false
#endif
  :: raised == COUNT && flying == 0 && acknowledges == 0 && !pending -> break
  od;
  finished = true;
  assert(taken + coalesced == COUNT && !pending)
}

active proctype vcpu() {
  do
  :: atomic { flying > 0 -> flying--; taken++ };
     acknowledges++
  :: finished -> break
  od
}
