// Package rounds is what tests share that draw their rounds from a seed: the randomness, the processes of containers as the kernel has them, and programs
// that are known to be bad. The same seed draws the same rounds; BERTH_TEST_SEED says which, BERTH_TEST_ROUNDS how many.
package rounds
