// Package chaos does to a region of several machines what happens to machines: three servers and three nodes, each a host of its own, lose processes by
// kill -9 and their links, at moments and in ways that a seed draws, while clients of all servers change services and run tasks.
//
// After each round everything is there again, and then: what was acknowledged is what every server says; the region comes to rest as it was wished; each
// task that is to run has its processes once, on the machine that it is said to be on; and no machine has anything that is nobody's: processes, cgroups,
// namespaces, rules, routes, ways to other machines. Tasks that nothing was done to answer each other all the time.
//
// BERTH_TEST_SEED names the seed, BERTH_TEST_ROUNDS the number of rounds, BERTH_TEST_ROUND one round to do alone, BERTH_TEST_ROUNDS_TIME when no further one begins.
package chaos
