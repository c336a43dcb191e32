// Package crash kills the parts of a region while services run and change, and judges what is left of it.
//
// Each round draws from its seed what is killed and at which of the load's operations. After it the following holds, or the
// round fails and says its seed, what was killed when, what the audit found and how the logs end:
//
//   - Every write that was acknowledged is visible as it was acknowledged.
//   - A container that was to stay has the same process as before, and answers.
//   - Every running container belongs to exactly one task that is RUNNING, and runs once.
//   - A task that ended while nobody watched has its exit code.
//   - The ledger is the sum of the live tasks; services are at their desired count and steady.
//   - The independent audit finds nothing that leaked.
//
// BERTH_TEST_SEED repeats a run (the default is drawn from the commit), BERTH_TEST_ROUNDS says how many rounds it has,
// BERTH_TEST_KEEP names a directory for the logs of a run that failed.
package crash
