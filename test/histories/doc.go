// Package histories asks a region of three servers through all of them at once, as several clients do that do not know of each other, and checks
// that what they were answered has an order in which it could have happened on one server that does one thing after the other
// (linearizability). Known-bad servers are caught by the same check.
//
// The servers are three in this process, on a store in memory or in an etcd; and three processes that keep the store together, on hosts of their own, which are killed
// and cut off meanwhile: a call whose answer was lost then may have done what it was to do, at any time later, or nothing.
//
// BERTH_TEST_HISTORIES is how many histories are recorded.
package histories
