// Package vpc holds what EC2's part of a network is made of: so far regions, their zones, and how lists are filtered.
//
// Guarantees: everything here is pure; the same input gives the same output.
package vpc
