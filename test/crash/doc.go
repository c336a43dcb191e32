// Package crash kills the parts of a region while services run and change, and judges what is left of it.
//
// TestRounds draws from its seed what is killed and at which of the load's operations. TestPoints goes through the points of
// internal/failpoint: the process that passes one kills itself there, at a hit that the seed draws. After each round the
// following holds, or the round fails and says its seed, what was killed where, what the audit found and how the logs end:
//
//   - Every write that was acknowledged is visible as it was acknowledged.
//   - A container that was to stay has the same process as before, and answers.
//   - Every running container belongs to exactly one task that is RUNNING, and runs once; no container was started twice.
//   - A task that ended while nobody watched has its exit code, and what it printed is in its log, once and in order.
//   - The ledger is the sum of the live tasks; services are at their desired count and steady.
//   - Cloud Map knows every live task of the services that are found, and no other.
//   - Every load balancer has one node, which is active, with one interface and one hidden task; the targets are the live tasks of the services
//     behind it, and no other. A load balancer that goes on while others die answers, unless Envoy died.
//   - The independent audit finds nothing that leaked.
//
// TestDown kills the region while tasks start and `berth down` while it works, and has the next `berth down` leave nothing.
//
// Tasks run on FARGATE too, in gVisor sandboxes and on runc: a node's setting is another from life to life. A round may also kill
// what is one task's alone, its sandbox, a gofer of it, its shim: that task ends, and its service has another.
//
// BERTH_TEST_SEED repeats a run (the default is drawn from the commit), BERTH_TEST_ROUNDS and BERTH_TEST_POINTS say how many
// rounds the two tests have, BERTH_TEST_POINTS_TIME when the second begins no further one, and BERTH_TEST_POINT ("POINT HIT ROUND",
// as a round prints it) has it do that one only. BERTH_TEST_KEEP names a directory for the logs of a run that
// failed, with the stacks of the node and of containerd at their ends, and for what the node says of its tasks.
package crash
