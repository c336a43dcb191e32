// Package histories asks a region of three servers through all of them at once, as several clients do that do not know of each other, and checks
// that what they were answered has an order in which it could have happened on one server that does one thing after the other
// (linearizability). Known-bad servers are caught by the same check.
//
// BERTH_TEST_HISTORIES is how many histories are recorded.
package histories
