// Package toy is a service that AWS does not have: one operation that echoes every type there is, one that fails as it is told and one that
// needs no signature. Tests use it to drive what the real models lack, blobs and maps for one.
//
// Guarantee: the model exists twice, for JSON and for query, with the same shapes, so that one test can hold both protocols to the same.
package toy

//go:generate go run ../../shapegen -models models -out .
