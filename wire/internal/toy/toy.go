// Package toy is a service that AWS does not have: one operation that echoes every type there is, and one that fails as it is told. Tests use
// it to drive what the real models lack, blobs and maps for one. Its model is made twice, for JSON and for query.
package toy

//go:generate go run ../../shapegen -models models -out .
