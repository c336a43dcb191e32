// Package sample runs a small web service on a region, through the AWS API alone, the way a user would.
//
// Guarantees:
//
//   - Nothing is fetched from a network: the image is made of one static program beside berth's own.
//   - Run may be called again: what exists is used, not made twice.
//   - Each step is reported when it begins; a failure names its step and what ECS said about the service.
package sample
