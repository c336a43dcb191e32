// Package stock holds the server to the unmodified amazon-ecs-agent (1.105.1): a double of that agent, made of the requests
// and frames that the real one was seen to send (testdata), registers with, listens to and reports to a whole region in this
// process, through the real edge and real sockets.
//
// Guarantees: the double accepts from the server what the real agent accepts and fails the test at anything else, such as
// an attribute that is not echoed, a manifest that is not newer, a payload that Docker's documents cannot be read from, or a
// certificate that is not for the host it dialled.
package stock
