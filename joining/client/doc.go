// Package client is a machine's end of joining: it lets itself in with a ticket, keeps its certificate young, and talks to whichever
// server answers.
//
// Guarantees:
//
//   - Join speaks to servers of the authority that the ticket names, and to nobody else; afterwards every connection is to a holder of a
//     certificate of that authority for a server.
//   - What Join got is on disk before it returns; a second Join with the same directory asks nobody.
//   - A server that does not answer, or answers that it cannot, is left for the next one. Nothing is lost for it but time.
//   - A certificate is renewed after a third of its life; keys after half of theirs.
package client
